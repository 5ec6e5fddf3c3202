/** The checkpoint table and bucket in emulators on free loopback ports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startFauxqs } from "fauxqs";

const REGION = "eu-central-1";
const credentials = { accessKeyId: "test", secretAccessKey: "test" };

export interface TestStorage {
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly table: string;
  readonly bucket: string;
  close(): Promise<void>;
}

export async function startCheckpointStorage(): Promise<TestStorage> {
  const [table, bucket] = ["checkpoints", "checkpoints"];
  const emulator = await startDynamoDB();
  const fauxqs = await startFauxqs({ port: 0, host: "127.0.0.1", defaultRegion: REGION, logger: false });
  const dynamodb = new DynamoDBClient({ endpoint: emulator.endpoint, region: REGION, credentials });
  const endpoint = `http://127.0.0.1:${fauxqs.port}`;
  const s3 = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
  await dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    dynamodb,
    s3,
    table,
    bucket,
    close: async () => {
      dynamodb.destroy();
      s3.destroy();
      await fauxqs.stop();
      await emulator.stop();
    },
  };
}

async function startDynamoDB(): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const port = await freePort();
  const manifest = createRequire(import.meta.url).resolve("@dynoxide/linux-x64/package.json");
  const emulator = spawn(path.join(path.dirname(manifest), "dynoxide"), ["serve", "--port", String(port)]);
  await once(createInterface(emulator.stderr), "line");
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      const exited = once(emulator, "exit");
      // It may have gone before, with everyone that a Ctrl-C reached.
      if (emulator.kill()) await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
