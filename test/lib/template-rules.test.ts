/** What no validator of templates noticed, and an incident was about, checked in the templates of every environment. */
import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { environmentConfig, environmentNames } from "../../lib/config/environments.ts";
import { type Resource, resources, synthesize, type Templates } from "./synthesize.ts";

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_RESOURCES = 500;
const MAX_TEMPLATE_BYTES = 1_000_000;

describe.each(environmentNames)("%s", (name) => {
  const config = environmentConfig(name);
  let templates: Templates;
  let all: readonly Template[];
  beforeAll(() => {
    templates = synthesize({ config });
    all = Object.values(templates);
  });

  const every = (type: string): readonly Resource[] => all.flatMap((template) => resources(template, type));
  const mappings = (kind: "kafka" | "kinesis"): readonly Resource[] =>
    every("AWS::Lambda::EventSourceMapping").filter(({ Properties }) =>
      kind === "kafka" ? Properties.Topics !== undefined : Properties.MaximumRecordAgeInSeconds !== undefined,
    );

  test("a stream or topic that is mapped without StartingPosition was never read", () => {
    for (const { Properties } of [...mappings("kafka"), ...mappings("kinesis")]) {
      expect(Properties.StartingPosition).toBe("TRIM_HORIZON");
    }
    expect(mappings("kafka").length).toBeGreaterThan(1);
    expect(mappings("kinesis").length).toBeGreaterThan(0);
  });

  test("a mapping of Kafka with an on-failure destination gave up after ten retries and skipped results", () => {
    for (const { Properties } of mappings("kafka")) expect(Properties.DestinationConfig).toBeUndefined();
  });

  test("a mapping of Kinesis whose failures went to a queue kept only where the records had been", () => {
    for (const { Properties } of mappings("kinesis")) {
      expect(JSON.stringify(Properties.DestinationConfig)).toMatch(/AgedOut/);
    }
    expect(every("AWS::S3::Bucket").some(({ logicalId }) => logicalId.includes("AgedOut"))).toBe(true);
  });

  test("retries and parallelization of a stream's mapping were swapped, and an outage became poison", () => {
    for (const { Properties } of mappings("kinesis")) {
      expect(Properties.MaximumRetryAttempts).toBe(-1);
      expect(Properties.ParallelizationFactor ?? 1).toBe(1);
      expect(Properties.BisectBatchOnFunctionError).toBe(false);
      expect(Properties.FunctionResponseTypes).toEqual(["ReportBatchItemFailures"]);
    }
  });

  test("brokers that were not a multiple of the zones could not be made", () => {
    for (const { Properties } of every("AWS::MSK::Cluster")) {
      const zones = Properties.BrokerNodeGroupInfo.ClientSubnets.length;
      expect(zones).toBe(config.availabilityZoneCount);
      expect(Properties.NumberOfBrokerNodes % zones).toBe(0);
      expect(Properties.NumberOfBrokerNodes).toBeGreaterThanOrEqual(3);
    }
  });

  test("an unclean election lost what had been acknowledged, and auto-created topics had one copy", () => {
    const [configuration] = every("AWS::MSK::Configuration");
    // CloudFormation wants the lines in base64.
    const lines = Buffer.from(
      configuration!.Properties.ServerProperties["Fn::Base64"] ?? configuration!.Properties.ServerProperties,
      "utf8",
    ).toString();
    for (const line of [
      "unclean.leader.election.enable=false",
      "auto.create.topics.enable=false",
      "min.insync.replicas=2",
      "default.replication.factor=3",
    ]) {
      expect(lines).toContain(line);
    }
    for (const { Properties } of every("AWS::MSK::Topic")) {
      expect(Properties.ReplicationFactor).toBe(3);
      const configs = JSON.parse(Buffer.from(Properties.Configs, "base64").toString("utf8"));
      expect(configs).toMatchObject({
        "unclean.leader.election.enable": "false",
        "min.insync.replicas": "2",
      });
    }
  });

  test("a log driver that blocked let tasks stand still while CloudWatch was away", () => {
    for (const { Properties } of every("AWS::ECS::TaskDefinition")) {
      const [{ LogConfiguration }] = Properties.ContainerDefinitions;
      expect(LogConfiguration.Options).toMatchObject({ mode: "non-blocking", "max-buffer-size": "4194304b" });
    }
  });

  test("an HTTP API with payload format 1.0 handed the function a request that it could not read", () => {
    for (const { Properties } of every("AWS::ApiGatewayV2::Integration")) {
      expect(Properties.PayloadFormatVersion).toBe("2.0");
    }
  });

  test("a route without authorization was public", () => {
    for (const { Properties } of every("AWS::ApiGatewayV2::Route")) {
      expect(["AWS_IAM", "JWT"]).toContain(Properties.AuthorizationType);
    }
  });

  test("a table's key that no attribute definition named failed at deployment", () => {
    for (const { Properties } of every("AWS::DynamoDB::Table")) {
      const indexes = Properties.GlobalSecondaryIndexes ?? [];
      const keys = [Properties.KeySchema, ...indexes.map((index: { KeySchema: unknown }) => index.KeySchema)]
        .flat()
        .map(({ AttributeName }) => AttributeName);
      const defined = Properties.AttributeDefinitions.map(
        ({ AttributeName }: { AttributeName: string }) => AttributeName,
      );
      expect([...new Set(keys)].toSorted()).toEqual(defined.toSorted());
    }
  });

  test("a function without a log group of its own logged for ever", () => {
    for (const template of all) {
      const groups = resources(template, "AWS::Logs::LogGroup");
      for (const { Properties } of groups) expect(Properties.RetentionInDays).toBe(config.logRetentionDays);
      for (const { logicalId, Properties } of resources(template, "AWS::Lambda::Function")) {
        // CDK's own, which empties buckets and restricts default groups, runs at deployments only.
        if (logicalId.startsWith("Custom")) continue;
        expect(Properties.LoggingConfig?.LogGroup, logicalId).toBeDefined();
      }
    }
  });

  test("data went with its stack, or stayed without anybody wanting it", () => {
    const policy = config.removalPolicy === "retain" ? "Retain" : "Delete";
    for (const type of [
      "AWS::DynamoDB::Table",
      "AWS::S3::Bucket",
      "AWS::MSK::Cluster",
      "AWS::MSK::Topic",
      "AWS::Kinesis::Stream",
      "AWS::SQS::Queue",
    ]) {
      for (const { logicalId, DeletionPolicy } of every(type))
        expect([logicalId, DeletionPolicy]).toEqual([logicalId, policy]);
    }
  });

  test("a bucket, a table, a stream or a queue held plain text, or a bucket was public", () => {
    for (const { Properties } of every("AWS::S3::Bucket")) {
      expect(Properties.BucketEncryption).toBeDefined();
      expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    }
    for (const { Properties } of every("AWS::Kinesis::Stream")) {
      expect(Properties.StreamEncryption.EncryptionType).toBe("KMS");
    }
    for (const { Properties } of every("AWS::SQS::Queue")) {
      expect(Properties.SqsManagedSseEnabled ?? Properties.KmsMasterKeyId).toBeTruthy();
    }
    for (const { Properties } of every("AWS::MSK::Cluster")) {
      expect(Properties.EncryptionInfo.EncryptionInTransit).toEqual({ ClientBroker: "TLS", InCluster: true });
      expect(Properties.EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId).toBeDefined();
      expect(Properties.ClientAuthentication.Unauthenticated).toEqual({ Enabled: false });
    }
  });

  test("a policy allowed every action of a service", () => {
    for (const { Properties } of every("AWS::IAM::Policy")) {
      const actions = Properties.PolicyDocument.Statement.flatMap(
        ({ Action }: { Action: unknown }) => Action,
      );
      expect(actions.filter((action: string) => /(^|:)\*$/.test(action))).toEqual([]);
    }
  });

  test("a stack that two others waited for each other's exports could not be updated", () => {
    // CDK refuses cycles; what it makes of references between stacks are exports, and each of them must be imported.
    const exported = all.flatMap((template) =>
      Object.values(template.findOutputs("*")).flatMap(({ Export }) => Export?.Name ?? []),
    );
    const text = JSON.stringify(all.map((template) => template.toJSON()));
    for (const exportName of exported) expect(text).toContain(`{"Fn::ImportValue":"${exportName}"}`);
  });

  test("a template grew beyond what CloudFormation takes", () => {
    for (const template of all) {
      const json = template.toJSON();
      expect(Object.keys(json.Resources).length).toBeLessThan(MAX_RESOURCES);
      expect(Buffer.byteLength(JSON.stringify(json))).toBeLessThan(MAX_TEMPLATE_BYTES);
    }
  });
});

test("two environments in one account shared a name", () => {
  const names = environmentNames.map((name) => {
    const templates = Object.values(synthesize({ config: environmentConfig(name) }));
    return new Set(
      templates
        .flatMap((template) => Object.values(template.toJSON().Resources as Record<string, Resource>))
        .flatMap(({ Type, Properties }) => physicalNames(Type, Properties)),
    );
  });
  const all = names.flatMap((set) => [...set]);
  expect(all.length).toBeGreaterThan(3);
  expect(all.filter((each, index) => all.indexOf(each) !== index)).toEqual([]);
});

/** Of a cluster, a role, an API: such a name is another's business. */
const NAMED_WITHIN_ANOTHER = [
  "AWS::ApiGatewayV2::Authorizer",
  "AWS::ApiGatewayV2::Stage",
  "AWS::IAM::Policy",
  "AWS::MSK::Topic",
];

/** Names that the template chooses, of what is called like it in the whole account. */
function physicalNames(type: string, properties: Readonly<Record<string, unknown>> = {}): string[] {
  if (NAMED_WITHIN_ANOTHER.includes(type)) return [];
  const service = type.split("::")[2]!;
  return ["Name", `${service}Name`, "ClusterName"].flatMap((property) => {
    const value = properties[property];
    return typeof value === "string" ? [`${type} ${value}`] : [];
  });
}
