/** The archive's table, as the CDK app defines it, and its bucket, in emulators on free loopback ports. */
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { archiveTable } from "../../contracts/dead-letter-archive.ts";
import { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { startCheckpointStorage, type TestStorage } from "./checkpoint-storage.ts";

const TABLE = "archive";

export interface TestArchive {
  readonly storage: TestStorage;
  readonly table: string;
  readonly index: ArchiveIndex;
  readonly objects: ArchiveObjects;
  close(): Promise<void>;
}

export async function startArchive(): Promise<TestArchive> {
  const storage = await startCheckpointStorage();
  const { partitionKey, byState, byRedrive } = archiveTable;
  await storage.dynamodb.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        ...[partitionKey, byState.partitionKey, byRedrive.partitionKey].map((name) => attribute(name, "S")),
        attribute(byState.sortKey, "N"),
      ],
      KeySchema: [{ AttributeName: partitionKey, KeyType: "HASH" }],
      GlobalSecondaryIndexes: [byState, byRedrive].map((index) => ({
        IndexName: index.name,
        KeySchema: [
          { AttributeName: index.partitionKey, KeyType: "HASH" as const },
          { AttributeName: index.sortKey, KeyType: "RANGE" as const },
        ],
        Projection: { ProjectionType: "ALL" as const },
      })),
    }),
  );
  return {
    storage,
    table: TABLE,
    index: new ArchiveIndex(storage.dynamodb, TABLE),
    objects: new ArchiveObjects(storage.s3, storage.bucket),
    close: () => storage.close(),
  };
}

const attribute = (AttributeName: string, AttributeType: "S" | "N") => ({ AttributeName, AttributeType });

/** Everything that a generator of entries gives. */
export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
