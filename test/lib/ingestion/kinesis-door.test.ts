import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, expect, test } from "vitest";
import { DEAD_LETTERS_TOPIC } from "../../../contracts/topics.ts";
import { allowed, allowedNames, dev, resources, synthesize } from "../synthesize.ts";

const PRODUCER = "111111111111";

let template: Template;
let deadLetters: Template;
beforeAll(() => {
  const door = {
    name: "partner",
    producerAccount: PRODUCER,
    eventTypes: ["flight.departed"],
    shards: "on-demand",
    retentionHours: 72,
    function: dev.spillway.forward,
    batchRecords: 100,
  } as const;
  ({ ingestion: template, deadLetters } = synthesize({ config: { ...dev, doors: [door] } }));
});

const ofDoor = (type: string) =>
  resources(template, type).find(({ logicalId }) => logicalId.includes("Doorpartner"))!;

test("a producer's account may put records on its stream, and nobody may do anything else", () => {
  const { ResourceArn, ResourcePolicy } = ofDoor("AWS::Kinesis::ResourcePolicy").Properties;
  const stream = ofDoor("AWS::Kinesis::Stream");

  expect(ResourceArn).toEqual({ "Fn::GetAtt": [stream.logicalId, "Arn"] });
  expect(ResourcePolicy.Statement).toHaveLength(1);
  expect(ResourcePolicy.Statement[0]).toMatchObject({
    Effect: "Allow",
    Principal: { AWS: PRODUCER },
    Action: [
      "kinesis:DescribeStreamSummary",
      "kinesis:ListShards",
      "kinesis:PutRecord",
      "kinesis:PutRecords",
    ],
    Resource: ResourceArn,
  });
  expect(stream.Properties).toMatchObject({
    RetentionPeriodHours: 72,
    StreamModeDetails: { StreamMode: "ON_DEMAND" },
    StreamEncryption: { EncryptionType: "KMS" },
  });
});

test("its function knows the producer's types, and may write their topics and dead letters only", () => {
  const { Variables } = ofDoor("AWS::Lambda::Function").Properties.Environment;

  expect(Variables.SPILLWAY_EVENT_TYPES).toBe("flight.departed");
  expect(allowedNames(allowed(template, "Doorpartner"), "kafka-cluster:WriteData")).toEqual(
    [DEAD_LETTERS_TOPIC, "flights"].toSorted(),
  );
});

test("its records are tried without end, and given up a day before the stream forgets them", () => {
  expect(ofDoor("AWS::Lambda::EventSourceMapping").Properties).toMatchObject({
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: 48 * 3_600,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
});

test("the flow control knows its mapping, with the topics of its types, and may change it", () => {
  const mapping = ofDoor("AWS::Lambda::EventSourceMapping");
  const flowControl = resources(template, "AWS::Lambda::Function").find(({ logicalId }) =>
    logicalId.startsWith("FlowControl"),
  )!;
  const controlled = JSON.stringify(
    flowControl.Properties.Environment.Variables.SPILLWAY_CONTROLLED_MAPPINGS,
  );
  const changed = allowed(template, "FlowControlFunctionRole").find(({ actions }) =>
    actions.includes("lambda:UpdateEventSourceMapping"),
  )!;

  expect(controlled).toContain(`,door-partner:",{"Ref":"${mapping.logicalId}"},":48:flights"`);
  expect(changed.resources).toHaveLength(3);
  expect(changed.resources.join()).toContain(mapping.logicalId);
  expect(ofDoor("AWS::Lambda::Function").Properties.Environment.Variables.SPILLWAY_MAPPING).toBe(
    "door-partner",
  );
});

test("its batches that are too old have a bucket of their own, and the redrive function knows it and its types", () => {
  const redrive = resources(deadLetters, "AWS::Lambda::Function").find(({ logicalId }) =>
    logicalId.startsWith("RedriveFunction"),
  )!;
  const { SPILLWAY_AGED_OUT_BUCKETS, SPILLWAY_DOORS } = redrive.Properties.Environment.Variables;
  const destinations = resources(template, "AWS::Lambda::EventSourceMapping").map(({ Properties }) =>
    JSON.stringify(Properties.DestinationConfig),
  );

  expect(JSON.parse(SPILLWAY_DOORS)).toEqual({ partner: ["flight.departed"] });
  expect(JSON.stringify(SPILLWAY_AGED_OUT_BUCKETS)).toMatch(
    /forward:.*AgedOutforward.*forward-high:.*AgedOutforwardhigh.*door-partner:.*AgedOutdoorpartner/,
  );
  expect(destinations).toEqual([
    expect.stringMatching(/AgedOutforward(?!high)/),
    expect.stringContaining("AgedOutforwardhigh"),
    expect.stringContaining("AgedOutdoorpartner"),
  ]);
});
