/** A results table in a DynamoDB emulator, in a process of its own on a free loopback port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { resultsTable } from "../../../contracts/results.ts";

export const TABLE_NAME = "results";

export interface TestTable {
  readonly client: DynamoDBClient;
  close(): Promise<void>;
}

export async function startResultsTable(): Promise<TestTable> {
  const port = await freePort();
  const manifest = createRequire(import.meta.url).resolve("@dynoxide/linux-x64/package.json");
  const emulator = spawn(path.join(path.dirname(manifest), "dynoxide"), ["--port", String(port)]);
  await once(createInterface(emulator.stderr), "line");
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  await createTable(client, TABLE_NAME, resultsTable.partitionKey, resultsTable.sortKey);
  return {
    client,
    close: async () => {
      client.destroy();
      const exited = once(emulator, "exit");
      emulator.kill();
      await exited;
    },
  };
}

export async function createTable(
  client: DynamoDBClient,
  name: string,
  hash: string,
  range: string,
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [hash, range].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: hash, KeyType: "HASH" },
        { AttributeName: range, KeyType: "RANGE" },
      ],
    }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
