import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { resultsTable } from "../../../contracts/results.ts";
import type { DeployedPipeline } from "../../../lib/processing/pipeline.ts";
import { toTrace } from "../observability/to-trace.ts";
import { allowed, allowedNames, resources, synthesize, theResource } from "../synthesize.ts";

const delays: DeployedPipeline = {
  name: "delays",
  service: "flights",
  inputs: [{ topic: "flights" }],
  operators: [{ series: "delays", closedAfterMs: 3_600_001 }],
  access: "public",
};
const fraud: DeployedPipeline = {
  name: "fraud",
  service: "fraud",
  inputs: [{ topic: "user-activity" }],
  operators: [{ series: "fraud" }],
};

describe("serving", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize({ pipelines: [delays, fraud] }).serving;
  });

  test("GET /results is the only route, and only for signed requests", () => {
    const { Properties } = theResource(template, "AWS::ApiGatewayV2::Route");

    expect(Properties).toMatchObject({
      RouteKey: "GET /results/{pipeline}/{key}",
      AuthorizationType: "AWS_IAM",
    });
    expect(theResource(template, "AWS::ApiGatewayV2::Integration").Properties.PayloadFormatVersion).toBe(
      "2.0",
    );
  });

  test("each pipeline's results are mapped, from their beginning, under a group of their own", () => {
    const mappings = resources(template, "AWS::Lambda::EventSourceMapping").map(
      ({ Properties }) => Properties,
    );

    expect(mappings).toMatchObject([
      {
        Topics: ["delays.results"],
        AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: "dev-delays.sink" },
        StartingPosition: "TRIM_HORIZON",
        MaximumBatchingWindowInSeconds: 1,
      },
      { Topics: ["fraud.results"], StartingPosition: "TRIM_HORIZON" },
    ]);
  });

  test("the sink knows which topics end up in what it stores, and may only write what it says of its load", () => {
    const { serving } = synthesize({ pipelines: [{ ...fraud, upstream: [delays] }] });
    const sink = resources(serving, "AWS::Lambda::Function").find(
      ({ Properties }) => "SPILLWAY_RESULT_NAMES" in Properties.Environment.Variables,
    )!;
    const { Variables } = sink.Properties.Environment;

    expect(JSON.parse(Variables.SPILLWAY_RESULT_NAMES)).toEqual({
      flights: ["fraud"],
      "user-activity": ["fraud"],
    });
    const onTables = allowed(template, "SinkFunctionRole").flatMap(({ actions }) =>
      actions.filter((action) => action.startsWith("dynamodb:")),
    );
    expect(new Set(onTables)).toEqual(new Set(["dynamodb:PutItem"]));
  });

  test("no mapping has an on-failure destination, which would silently end retries at ten", () => {
    for (const { Properties } of resources(template, "AWS::Lambda::EventSourceMapping")) {
      expect(Properties.DestinationConfig).toBeUndefined();
      expect(Properties.MaximumRetryAttempts).toBeUndefined();
      expect(Properties.MaximumRecordAgeInSeconds).toBeUndefined();
    }
  });

  test("a mapping is made only after the role has what Lambda checks", () => {
    for (const { DependsOn } of resources(template, "AWS::Lambda::EventSourceMapping")) {
      expect(DependsOn).toContainEqual(expect.stringMatching(/^SinkFunctionRoleDefaultPolicy/));
    }
    const actions = allowed(template, "SinkFunctionRole").flatMap((statement) => statement.actions);
    expect(actions).toEqual(
      expect.arrayContaining([
        "ec2:CreateNetworkInterface",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeClusterDynamicConfiguration",
        "kafka:DescribeClusterV2",
        "kafka:GetBootstrapBrokers",
      ]),
    );
  });

  test("the sink may read results and write dead letters, and nothing else of Kafka", () => {
    const statements = allowed(template, "SinkFunctionRole");

    expect(allowedNames(statements, "kafka-cluster:ReadData")).toEqual(["delays.results", "fraud.results"]);
    expect(allowedNames(statements, "kafka-cluster:AlterGroup")).toEqual([
      "dev-delays.sink",
      "dev-fraud.sink",
    ]);
    expect(allowedNames(statements, "kafka-cluster:WriteData")).toEqual(["dead-letters"]);
  });

  test("the query function may only query the table, and is told which pipelines there are", () => {
    const actions = allowed(template, "QueryRole").flatMap((statement) => statement.actions);
    const [query] = resources(template, "AWS::Lambda::Function").filter(({ logicalId }) =>
      logicalId.startsWith("Query"),
    );

    expect(actions).toEqual(["logs:CreateLogStream", "logs:PutLogEvents", "dynamodb:Query"]);
    expect(query?.Properties.Environment.Variables.SPILLWAY_SERVED_SERIES).toBe(
      "delays:public::4:3600001,fraud:private::4:",
    );
    expect(query?.Properties.VpcConfig).toBeUndefined();
  });

  test("nothing but EC2's descriptions and interfaces and to write spans is allowed on every resource", () => {
    const everywhere = ["SinkFunctionRole", "QueryRole"]
      .flatMap((role) => allowed(template, role))
      .filter((statement) => statement.resources.includes('"*"'))
      .flatMap(({ actions }) => actions);

    expect(everywhere.filter((action) => !action.startsWith("ec2:"))).toEqual(toTrace);
  });

  test("the table has the contract's keys, each defined, and expires by the contract's attribute", () => {
    const { Properties } = theResource(template, "AWS::DynamoDB::Table");

    expect(Properties).toMatchObject({
      KeySchema: [
        { AttributeName: resultsTable.partitionKey, KeyType: "HASH" },
        { AttributeName: resultsTable.sortKey, KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: resultsTable.partitionKey, AttributeType: "S" },
        { AttributeName: resultsTable.sortKey, AttributeType: "S" },
      ],
      BillingMode: "PAY_PER_REQUEST",
      TimeToLiveSpecification: { AttributeName: resultsTable.expiresAt, Enabled: true },
    });
  });

  test("functions run on ARM64 and Node 24", () => {
    for (const { Properties } of resources(template, "AWS::Lambda::Function")) {
      expect(Properties).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"] });
    }
  });
});
