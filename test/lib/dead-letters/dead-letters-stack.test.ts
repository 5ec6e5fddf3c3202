import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { ARCHIVE_RETENTION_DAYS, archiveTable } from "../../../contracts/dead-letter-archive.ts";
import { topics } from "../../../contracts/topics.ts";
import { toTrace } from "../observability/to-trace.ts";
import { allowed, allowedNames, resources, synthesize, theResource } from "../synthesize.ts";

describe("dead letters", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize().deadLetters;
  });

  const propertiesOf = (type: string, start: string) =>
    resources(template, type).find(({ logicalId }) => logicalId.startsWith(start))!.Properties;
  const actionsOf = (role: string) =>
    allowed(template, role)
      .flatMap(({ actions }) => actions)
      .filter((action) => !/^(logs|ec2|kafka|kafka-cluster):/.test(action));

  test("the queue is encrypted, taken over TLS only, and keeps what it has as long as SQS may", () => {
    const { Properties } = theResource(template, "AWS::SQS::Queue");
    const [denial] = theResource(template, "AWS::SQS::QueuePolicy").Properties.PolicyDocument.Statement;

    expect(Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 });
    expect(denial).toMatchObject({
      Effect: "Deny",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  });

  test("a message is hidden for six times as long as the archiver may take", () => {
    const { Timeout } = propertiesOf("AWS::Lambda::Function", "ArchiveFunction");
    const { VisibilityTimeout } = theResource(template, "AWS::SQS::Queue").Properties;

    expect(VisibilityTimeout).toBe(6 * Timeout);
  });

  test("the archiver is fed from the topic's beginning, and from the queue message by message", () => {
    const mappings = resources(template, "AWS::Lambda::EventSourceMapping");

    expect(mappings.map(({ Properties }) => Properties)).toMatchObject([
      {
        Topics: ["dead-letters"],
        AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: "dev-dead-letters.archive" },
        StartingPosition: "TRIM_HORIZON",
      },
      { FunctionResponseTypes: ["ReportBatchItemFailures"] },
    ]);
    for (const { Properties, DependsOn } of mappings) {
      expect(Properties.DestinationConfig).toBeUndefined();
      expect(DependsOn).toContainEqual(expect.stringMatching(/^ArchiveFunctionRoleDefaultPolicy/));
    }
  });

  test("the archiver may file and nothing else", () => {
    expect(actionsOf("ArchiveFunctionRole").toSorted()).toEqual([
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "s3:PutObject",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ReceiveMessage",
      "xray:PutSpans",
      "xray:PutSpansForIndexing",
    ]);
    const statements = allowed(template, "ArchiveFunctionRole");
    expect(allowedNames(statements, "kafka-cluster:ReadData")).toEqual(["dead-letters"]);
    expect(allowedNames(statements, "kafka-cluster:WriteData")).toEqual([]);
  });

  test("the redrive function may read the archive, move entries, and write to the catalogue's topics only", () => {
    expect(actionsOf("RedriveFunctionRole").toSorted()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:PutObject",
      "xray:PutSpans",
      "xray:PutSpansForIndexing",
    ]);
    const statements = allowed(template, "RedriveFunctionRole");
    expect(allowedNames(statements, "kafka-cluster:WriteData")).toEqual(
      [...Object.keys(topics), "dead-letters"].toSorted(),
    );
    expect(allowedNames(statements, "kafka-cluster:ReadData")).toEqual([]);
    expect(propertiesOf("AWS::Lambda::Function", "RedriveFunction").ReservedConcurrentExecutions).toBe(1);
  });

  test("the redrive function may delete what Lambda has filed only, and write it elsewhere only", () => {
    const filed = (action: string) =>
      allowed(template, "RedriveFunctionRole")
        .filter(({ actions }) => actions.includes(action))
        .flatMap((statement) => statement.resources);
    const [eachFiled, eachRedriven] = [/AgedOutforward.*\/aws\/lambda\/\*/, /AgedOutforward.*\/redriven\/\*/];
    expect(filed("s3:DeleteObject")).toEqual(Array(2).fill(expect.stringMatching(eachFiled)));
    expect(filed("s3:PutObject")).toEqual(Array(2).fill(expect.stringMatching(eachRedriven)));
  });

  test("nothing but EC2's descriptions and interfaces and to write spans is allowed on every resource", () => {
    const everywhere = ["ArchiveFunctionRole", "RedriveFunctionRole"]
      .flatMap((role) => allowed(template, role))
      .filter((statement) => statement.resources.includes('"*"'))
      .flatMap(({ actions }) => actions);

    expect(everywhere.filter((action) => !action.startsWith("ec2:"))).toEqual([...toTrace, ...toTrace]);
  });

  test("the index has the contract's keys and indexes, and expires by the contract's attribute", () => {
    const { Properties } = theResource(template, "AWS::DynamoDB::Table");
    const { partitionKey, byState, byRedrive, expiresAt } = archiveTable;

    expect(Properties).toMatchObject({
      KeySchema: [{ AttributeName: partitionKey, KeyType: "HASH" }],
      GlobalSecondaryIndexes: [byState, byRedrive].map((index) => ({
        IndexName: index.name,
        KeySchema: [
          { AttributeName: index.partitionKey, KeyType: "HASH" },
          { AttributeName: index.sortKey, KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      })),
      TimeToLiveSpecification: { AttributeName: expiresAt, Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    expect(Properties.AttributeDefinitions).toContainEqual({
      AttributeName: byState.sortKey,
      AttributeType: "N",
    });
  });

  test("an entry's bytes outlast its item", () => {
    const [archive] = resources(template, "AWS::S3::Bucket").filter(({ logicalId }) =>
      /Archive/.test(logicalId),
    );
    const [rule] = archive!.Properties.LifecycleConfiguration.Rules;

    expect(rule).toMatchObject({ Status: "Enabled" });
    expect(rule.ExpirationInDays).toBeGreaterThan(ARCHIVE_RETENTION_DAYS + 2);
  });
});
