import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import type { DeployedPipeline } from "../../../lib/processing/pipeline.ts";
import { toTrace } from "../observability/to-trace.ts";
import { allowed, dev, resources, synthesize, type Templates, theResource } from "../synthesize.ts";

const fraud: DeployedPipeline = {
  name: "fraud",
  service: "fraud",
  inputs: [{ topic: "user-activity" }],
  operators: [{ series: "fraud" }],
  notify: true,
};

describe("notices", () => {
  let templates: Templates;
  let template: Template;
  beforeAll(() => {
    templates = synthesize({ pipelines: [fraud] });
    template = templates.serving;
  });

  const functionOf = (start: string) =>
    resources(template, "AWS::Lambda::Function").find(({ logicalId }) => logicalId.startsWith(start))!;
  const actionsOf = (role: string) =>
    allowed(template, role)
      .flatMap(({ actions }) => actions)
      .filter((action) => !/^(logs|ec2|kafka|kafka-cluster):/.test(action));

  test("are put on a bus by the sink, which may put them there and enter them, and nothing else", () => {
    const { Variables } = functionOf("SinkFunction").Properties.Environment;

    expect(Variables.SPILLWAY_NOTICES_BUS.Ref).toMatch(/^NoticesBus/);
    expect(Variables.SPILLWAY_NOTICES_TABLE.Ref).toMatch(/^NoticesTable/);
    expect(actionsOf("SinkFunctionRole").sort()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:PutItem",
      "dynamodb:PutItem",
      "events:PutEvents",
      ...toTrace,
    ]);
  });

  test("go by a rule to the webhook, which may read its own secret, and is called twice more", () => {
    const { Properties } = theResource(template, "AWS::Events::Rule");
    const { Properties: invocation } = theResource(template, "AWS::Lambda::EventInvokeConfig");

    expect(Properties.EventBusName.Ref).toMatch(/^NoticesBus/);
    expect(Properties.EventPattern).toEqual({ source: ["spillway"] });
    expect(actionsOf("WebhookFunctionRole")).toEqual(
      expect.arrayContaining(["secretsmanager:GetSecretValue", "sqs:SendMessage"]),
    );
    const everywhere = allowed(template, "WebhookFunctionRole").filter(({ resources: on }) =>
      on.includes('"*"'),
    );
    expect(everywhere.flatMap(({ actions }) => actions)).toEqual(toTrace);
    expect(functionOf("WebhookFunction").Properties.VpcConfig).toBeUndefined();
    expect(invocation).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 21_600 });
  });

  test("end in the dead-letter queue where neither Lambda nor EventBridge can deliver them", () => {
    const [target] = theResource(template, "AWS::Events::Rule").Properties.Targets;
    const { DestinationConfig } = theResource(template, "AWS::Lambda::EventInvokeConfig").Properties;
    const policy = theResource(templates.deadLetters, "AWS::SQS::QueuePolicy").Properties.PolicyDocument;

    for (const place of [target.DeadLetterConfig.Arn, DestinationConfig.OnFailure.Destination]) {
      expect(JSON.stringify(place)).toContain("DeadLetters");
    }
    expect(policy.Statement).toContainEqual(
      expect.objectContaining({
        Action: "sqs:SendMessage",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
      }),
    );
  });

  test("are signed with a secret that is made of base64's letters and digits", () => {
    expect(theResource(template, "AWS::SecretsManager::Secret").Properties.GenerateSecretString).toEqual({
      PasswordLength: 64,
      ExcludePunctuation: true,
    });
  });
});

describe("nothing is made", () => {
  const counts = ({ serving }: Templates): number[] =>
    ["AWS::Events::EventBus", "AWS::Events::Rule", "AWS::SecretsManager::Secret"].map(
      (type) => resources(serving, type).length,
    );

  let silent: Templates;
  let withoutUrl: Templates;
  beforeAll(() => {
    silent = synthesize({ pipelines: [{ ...fraud, notify: false }] });
    withoutUrl = synthesize({ config: { ...dev, serving: {} }, pipelines: [fraud] });
  });

  test("where no pipeline notifies, nor a webhook where the environment states no URL", () => {
    expect(counts(silent)).toEqual([0, 0, 0]);
    expect(counts(withoutUrl)).toEqual([1, 0, 0]);
  });
});
