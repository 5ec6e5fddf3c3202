import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { topics } from "../../../contracts/topics.ts";
import { allowed, allowedNames, synthesize, theResource } from "../synthesize.ts";

describe("ingestion", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize().ingestion;
  });

  test("POST /events is the only route, and only for signed requests", () => {
    const { Properties } = theResource(template, "AWS::ApiGatewayV2::Route");

    expect(Properties).toMatchObject({ RouteKey: "POST /events", AuthorizationType: "AWS_IAM" });
  });

  test("the function gets payloads of format 2.0", () => {
    const { Properties } = theResource(template, "AWS::ApiGatewayV2::Integration");

    expect(Properties).toMatchObject({ IntegrationType: "AWS_PROXY", PayloadFormatVersion: "2.0" });
  });

  test("the function answers before API Gateway gives up on it, at 30 s", () => {
    const { Properties } = theResource(template, "AWS::Lambda::Function");

    expect(Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
    });
    expect(Properties.Timeout).toBeLessThan(30);
    expect(Properties.VpcConfig.SecurityGroupIds).toHaveLength(1);
    expect(Object.keys(Properties.Environment.Variables)).toEqual([
      "SPILLWAY_ENVIRONMENT",
      "SPILLWAY_BOOTSTRAP_SERVERS",
    ]);
  });

  test("the function may write the catalogue's topics, and read none", () => {
    const statements = allowed(template, "IngestRole");
    const kafkaActions = statements.flatMap(({ actions }) =>
      actions.filter((action) => action.startsWith("kafka")),
    );

    expect(allowedNames(statements, "kafka-cluster:WriteData")).toEqual(Object.keys(topics).toSorted());
    expect(kafkaActions.toSorted()).toEqual([
      "kafka-cluster:Connect",
      "kafka-cluster:DescribeTopic",
      "kafka-cluster:WriteData",
    ]);
  });

  test("nothing but network interfaces is allowed on every resource", () => {
    const everywhere = allowed(template, "IngestRole").filter(({ resources }) => resources.includes('"*"'));

    expect(
      everywhere.flatMap(({ actions }) => actions).filter((action) => !action.startsWith("ec2:")),
    ).toEqual([]);
  });

  test("calls are logged, and throttled", () => {
    const { Properties } = theResource(template, "AWS::ApiGatewayV2::Stage");

    expect(Properties.AccessLogSettings.DestinationArn).toBeDefined();
    expect(Properties.DefaultRouteSettings.ThrottlingRateLimit).toBeGreaterThan(0);
  });
});
