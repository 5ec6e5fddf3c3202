/** The whole function, with a real signals table that goes away. */
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { SIGNAL_MAX_AGE_MS, signalsTable } from "../../../contracts/signals.ts";
import { SignalsTable } from "../../../runtime/signals.ts";
import { startCheckpointStorage, type TestStorage } from "../../support/checkpoint-storage.ts";
import { flight, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { contextWith, type HttpHandler } from "../support/gateway.ts";

const kafka = new FakeKafka();
const stream = new FakeStream();
vi.mock("../../../runtime/kafka.ts", async (original) => ({
  ...(await original<typeof import("../../../runtime/kafka.ts")>()),
  createKafka: () => kafka,
}));
vi.mock("../../../runtime/kinesis.ts", () => ({ createKinesisClient: () => stream }));

const TABLE = "signals";
let storage: TestStorage;
let stopped = false;
let handler: HttpHandler;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  storage = await startCheckpointStorage();
  const { partitionKey, sortKey } = signalsTable;
  await storage.dynamodb.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [partitionKey, sortKey].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S",
      })),
      KeySchema: [
        { AttributeName: partitionKey, KeyType: "HASH" },
        { AttributeName: sortKey, KeyType: "RANGE" },
      ],
    }),
  );
  const { hostname, port } = await storage.dynamodb.config.endpoint!();
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", `http://${hostname}:${port}`);
  vi.stubEnv("SPILLWAY_HIGH_STREAM", "spillway-high");
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("SPILLWAY_ENVIRONMENT", "test");
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false");
  vi.stubEnv("SPILLWAY_BOOTSTRAP_SERVERS", "127.0.0.1:9092");
  vi.stubEnv("SPILLWAY_STREAM", "spillway");
  vi.stubEnv("SPILLWAY_SIGNALS_TABLE", TABLE);
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line) => void lines.push(JSON.parse(String(line))));
  }
  // Before the function is loaded, as it keeps Date.now.
  vi.useFakeTimers({ toFake: ["Date"] });
  handler = (await import("../../../lambdas/ingest/handler.ts")).handler as HttpHandler;
});
afterAll(async () => {
  vi.useRealTimers();
  if (!stopped) await storage.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const post = () => handler(structured(flight) as never, contextWith(10_000));

it("takes everything in; what it last heard counts on, until that is too old", async () => {
  const startMs = Date.now();
  const at = (ms: number) => vi.setSystemTime(startMs + ms);
  const signal = { stage: "airport-delays", source: "0", topics: ["flights"], load: 1.2, atMs: startMs };
  await new SignalsTable(storage.dynamodb, TABLE).write(signal, AbortSignal.timeout(10_000));

  at(0);
  expect(await post()).toMatchObject({ statusCode: 202, headers: { backpressure: "1.20" } });
  expect([stream.events.length, kafka.events.length]).toEqual([1, 0]);

  await storage.close();
  stopped = true;
  at(3_000);
  expect(await post()).toMatchObject({ statusCode: 202, headers: { backpressure: "1.20" } });
  expect(lines).toContainEqual(
    expect.objectContaining({ level: "WARN", message: expect.stringContaining("signals table") }),
  );
  expect(lines).toContainEqual(expect.objectContaining({ SignalsUnread: 1 }));

  at(SIGNAL_MAX_AGE_MS + 1);
  expect(await post()).toMatchObject({ statusCode: 202, headers: { backpressure: "0.00" } });
  expect([stream.events.length, kafka.events.length]).toEqual([2, 1]);
});
