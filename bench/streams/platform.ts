/** What the engines share for as long as the benchmark takes: Kafka, the stores of checkpoints, and the filled topics. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { environmentVariables } from "../../contracts/environment.ts";
import { signalsTable } from "../../contracts/signals.ts";
import { DEAD_LETTERS_TOPIC, lateTopic } from "../../contracts/topics.ts";
import { startCheckpointStorage, type TestStorage } from "../../test/support/checkpoint-storage.ts";
import { startKafka } from "../../test/support/kafka.ts";
import { BenchBroker } from "./broker.ts";
import type { Stream } from "./events.ts";
import { BenchProcess, killAll } from "./process.ts";
import type { ProduceOptions } from "./produce.ts";
import { windowCases } from "./windows.ts";

const SIGNALS_TABLE = "signals";

export interface BenchPlatform {
  readonly broker: BenchBroker;
  readonly directory: string;
  /** How a processor reaches the tables and the bucket. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Whatever was started before a failure is stopped. */
export async function startPlatform(): Promise<BenchPlatform> {
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    await killAll();
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const directory = mkdtempSync(join(tmpdir(), "spillway-bench-"));
    stops.push(() => rmSync(directory, { recursive: true, force: true }));
    const kafka = await startKafka();
    stops.push(() => kafka.stop());
    const storage = await startCheckpointStorage();
    stops.push(() => storage.close());
    const broker = await BenchBroker.connect(kafka.bootstrapServers);
    stops.push(() => broker.close());
    await broker.createTopics([DEAD_LETTERS_TOPIC, ...windowCases.map(({ name }) => lateTopic(name))]);
    return { broker, directory, env: await environmentOf(storage), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function environmentOf(storage: TestStorage): Promise<Record<string, string>> {
  const { partitionKey, sortKey } = signalsTable;
  await storage.dynamodb.send(
    new CreateTableCommand({
      TableName: SIGNALS_TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [partitionKey, sortKey].map((name) => ({
        AttributeName: name,
        AttributeType: "S",
      })),
      KeySchema: [
        { AttributeName: partitionKey, KeyType: "HASH" },
        { AttributeName: sortKey, KeyType: "RANGE" },
      ],
    }),
  );
  return {
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_ENDPOINT_URL_DYNAMODB: await endpointOf(storage.dynamodb),
    AWS_ENDPOINT_URL_S3: await endpointOf(storage.s3),
    [environmentVariables.signalsTable]: SIGNALS_TABLE,
    [environmentVariables.checkpointTable]: storage.table,
    [environmentVariables.checkpointBucket]: storage.bucket,
  };
}

async function endpointOf({ config }: TestStorage["dynamodb"] | TestStorage["s3"]): Promise<string> {
  const { protocol, hostname, port } = await config.endpoint!();
  return `${protocol}//${hostname}:${port}`;
}

/** Fills a topic with the stream's first events, in a process of its own. */
export async function fillTopic(
  { broker }: BenchPlatform,
  stream: Stream,
  events: number,
  form: Pick<ProduceOptions, "withTimestamps" | "isClosed">,
): Promise<void> {
  await broker.createTopics([stream.topic]);
  const { bootstrapServers } = broker;
  const options: ProduceOptions = { bootstrapServers, stream, events, ...form };
  const script = join(import.meta.dirname, "produce.ts");
  const child = new BenchProcess({ command: process.execPath, args: [script, JSON.stringify(options)] });
  await child.ended;
  if (!child.hasSucceeded) throw new Error(child.failure);
}
