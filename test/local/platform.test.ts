import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import {
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually, type Run, startLocal, stopLocal } from "./run.ts";

const START_TIMEOUT_MS = 180_000;
const TEST_TIMEOUT_MS = 180_000;
vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

let run: Run;
let door: string;

beforeAll(async () => {
  run = await startLocal(["--mapping-change-ms", "200"]);
  door = run.ready.apis.DoorApi!;
}, START_TIMEOUT_MS);

afterAll(async () => {
  expect(await stopLocal(run)).toBe(0);
  expect(existsSync(run.ready.runDirectory)).toBe(false);
}, TEST_TIMEOUT_MS);

// biome-ignore lint/suspicious/noExplicitAny: JSON whose shape the tests below assert on
const json = async (response: Response): Promise<any> => response.json();
const state = async () => json(await fetch(`${run.ready.controlUrl}/state`));
const control = async (path: string) => {
  const response = await fetch(`${run.ready.controlUrl}${path}`, { method: "POST" });
  expect(response.status).toBe(200);
};
const post = (body: string, contentType = "text/plain") =>
  fetch(`${door}/events`, { method: "POST", body, headers: { "content-type": contentType } });

const clientOf = (service: "DYNAMODB" | "S3" | "SQS" | "KINESIS" | "LAMBDA") => ({
  endpoint: run.ready.environment[`AWS_ENDPOINT_URL_${service}`]!,
  region: run.ready.environment.AWS_REGION!,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
const kafka = () => new Kafka({ brokers: run.ready.bootstrapServers.split(","), logLevel: logLevel.NOTHING });

/** Events that the recorder function kept of one source. */
// biome-ignore lint/suspicious/noExplicitAny: events of three sources, each asserted on by its test
async function seen(source: string): Promise<any[]> {
  const { Items = [] } = await new DynamoDBClient(clientOf("DYNAMODB")).send(
    new QueryCommand({
      TableName: run.ready.tables.SeenTable,
      KeyConditionExpression: "#source = :source",
      ExpressionAttributeNames: { "#source": "source" },
      ExpressionAttributeValues: { ":source": { S: source } },
    }),
  );
  return Items.map(({ event }) => JSON.parse(event!.S!));
}

describe("what is said at the start", () => {
  it("names resources that are not run and routes that take unsigned calls", () => {
    expect(run.said()).toContain("AWS::CloudFront::Distribution Distribution is not run locally");
    expect(run.said()).toContain("2 routes with IAM authorization take unsigned calls");
    expect(run.said()).not.toContain("AWS::SNS::Topic Absent");
  });
});

describe("an HTTP API", () => {
  it("invokes the function with the template's environment and nothing of this process", async () => {
    const response = await post("hello");
    const { event, environment, functionName, remainingMs } = JSON.parse(await response.text());
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("server-timing")).toMatch(/^invoke;dur=[\d.]+(, init;dur=[\d.]+)?$/);
    expect(event).toMatchObject({ routeKey: "POST /events", body: "hello", isBase64Encoded: false });
    expect(environment).toMatchObject({
      BROKERS: run.ready.bootstrapServers,
      BUCKET: "fixture-app-blobs",
      QUEUE_URL: `${run.ready.environment.AWS_ENDPOINT_URL_SQS}/000000000000/Fixture-App-Work`,
      AWS_REGION: "eu-west-1",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
    });
    expect(environment).not.toHaveProperty("HOME");
    expect(functionName).toBe("Fixture-App-EchoFunction");
    expect(remainingMs).toBeGreaterThan(0);
  });

  it("decodes path parameters", async () => {
    const { event } = await json(await fetch(`${door}/results/p/a%2Fb?x=1`));
    expect(event.pathParameters).toEqual({ pipeline: "p", key: "a/b" });
    expect(event.queryStringParameters).toEqual({ x: "1" });
  });

  it.each<[string, number, string]>([
    ["throw", 500, '{"message":"Internal Server Error"}'],
    ["exit", 500, '{"message":"Internal Server Error"}'],
    ["hang", 500, '{"message":"Internal Server Error"}'],
    ["bare", 200, '{"plain":true}'],
  ])("answers a function that does %s with %i", async (body, status, expected) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(expected);
  });

  it("answers 404 and 413 itself", async () => {
    expect((await fetch(`${door}/nowhere`)).status).toBe(404);
    expect((await post("x".repeat(10 * 1024 * 1024 + 1))).status).toBe(413);
  });

  it("runs one invocation per environment, and refuses what is over the reserved concurrency", async () => {
    const responses = await Promise.all(["wait", "wait", "wait"].map((body) => post(body)));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 503]);
    const bodies = await Promise.all(responses.filter(({ ok }) => ok).map(json));
    expect(new Set(bodies.map(({ pid }) => pid)).size).toBe(2);
  });
});

describe("Kafka", () => {
  it("has the template's topics", async () => {
    const admin = kafka().admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: ["events", "plain"] });
    const configs = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: "events" }],
    });
    await admin.disconnect();
    const partitions = Object.fromEntries(topics.map((topic) => [topic.name, topic.partitions.length]));
    expect(partitions).toEqual({ events: 2, plain: 1 });
    const values = configs.resources[0]!.configEntries.map(({ configName, configValue }) => [
      configName,
      configValue,
    ]);
    expect(Object.fromEntries(values)).toMatchObject({
      "message.timestamp.type": "LogAppendTime",
      "retention.ms": "3600000",
      "min.insync.replicas": "1",
    });
  });

  it("delivers records to a mapping's function, those of an aborted transaction too", async () => {
    const producer = kafka().producer({ transactionalId: "fixture", maxInFlightRequests: 1 });
    await producer.connect();
    const send = async (value: string, end: "commit" | "abort") => {
      const transaction = await producer.transaction();
      await transaction.send({
        topic: "events",
        messages: [{ partition: 1, key: "k", value, headers: { h: "é" } }],
      });
      await transaction[end]();
    };
    await send("aborted", "abort");
    await send("committed", "commit");
    await producer.disconnect();
    const records = await eventually(async () => {
      const all = (await seen("kafka")).flatMap((event) => event.records["events-1"] ?? []);
      return all.length >= 2 ? all : undefined;
    });
    const text = (base64: string): string => Buffer.from(base64, "base64").toString();
    expect(records.map(({ value }) => text(value))).toEqual(["aborted", "committed"]);
    expect(records[0]).toMatchObject({
      topic: "events",
      partition: 1,
      offset: 0,
      timestampType: "LOG_APPEND_TIME",
      headers: [{ h: [-61, -87] }],
    });
    expect(text(records[0].key)).toBe("k");
  });

  it("comes back after a broker was killed and its link cut, and so does the mapping", async () => {
    const { brokers } = await state();
    await control("/brokers/1/kill");
    expect((await state()).brokers[0]).toMatchObject({ id: 1, running: false });
    await control("/brokers/1/start");
    expect((await state()).brokers[0].pid).not.toBe(brokers[0].pid);
    await control("/links/broker-1/cut");
    const admin = new Kafka({
      brokers: [run.ready.bootstrapServers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
    await expect(admin.connect()).rejects.toThrow();
    await control("/links/broker-1/restore");
    await eventually(async () =>
      admin
        .connect()
        .then(() => true)
        .catch(() => undefined),
    );
    expect(await admin.listTopics()).toContain("events");
    await admin.disconnect();
    const producer = kafka().producer();
    await producer.connect();
    await producer.send({ topic: "events", messages: [{ partition: 0, value: "afterwards" }] });
    await producer.disconnect();
    const values = await eventually(async () => {
      const records = (await seen("kafka")).flatMap((event) => event.records["events-0"] ?? []);
      return records.length > 0 ? records.map(({ value }) => value) : undefined;
    });
    expect(values).toEqual([Buffer.from("afterwards").toString("base64")]);
  });
});

describe("a queue's mapping", () => {
  it("deletes what succeeded, and lets the rest go to the dead letters", async () => {
    const client = new SQSClient(clientOf("SQS"));
    const url = (name: string) =>
      `${run.ready.environment.AWS_ENDPOINT_URL_SQS}/000000000000/Fixture-App-${name}`;
    for (const MessageBody of ["fine", "poison"]) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: url("Work"),
          MessageBody,
          MessageAttributes: { kind: { DataType: "String", StringValue: "test" } },
        }),
      );
    }
    const [dead] = await eventually(async () => {
      const { Messages } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: url("Dead"), WaitTimeSeconds: 1 }),
      );
      return Messages;
    });
    expect(dead!.Body).toBe("poison");
    const records = (await seen("sqs")).flatMap((event) => event.Records);
    expect(records.filter(({ body }) => body === "fine")).toHaveLength(1);
    expect(records.filter(({ body }) => body === "poison")).toHaveLength(2);
    expect(records[0]).toMatchObject({
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:eu-west-1:000000000000:Fixture-App-Work",
      awsRegion: "eu-west-1",
      messageAttributes: { kind: { dataType: "String", stringValue: "test" } },
    });
  });
});

describe("a stream's mapping", () => {
  it("halves a failing batch, and sends the bad record to its destination", async () => {
    const client = new KinesisClient(clientOf("KINESIS"));
    const Records = ["a", "b", "poison", "c"].map((text) => ({
      Data: Buffer.from(text),
      PartitionKey: "k",
    }));
    await client.send(new PutRecordsCommand({ StreamName: "Fixture-App-Stream", Records }));
    const sqs = new SQSClient(clientOf("SQS"));
    const [message] = await eventually(async () => {
      const QueueUrl = `${run.ready.environment.AWS_ENDPOINT_URL_SQS}/000000000000/Fixture-App-Discarded`;
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
      return Messages;
    });
    const record = JSON.parse(message!.Body!);
    expect(record).toMatchObject({
      requestContext: { condition: "RetryAttemptsExhausted", approximateInvokeCount: 1 },
      KinesisBatchInfo: {
        batchSize: 1,
        streamArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/Fixture-App-Stream",
      },
    });
    const delivered = await eventually(async () => {
      const batches = (await seen("kinesis")).map((event) =>
        // biome-ignore lint/suspicious/noExplicitAny: the function's event, as JSON
        event.Records.map((one: any) => Buffer.from(one.kinesis.data, "base64").toString()).join(" "),
      );
      return batches.includes("c") ? batches : undefined;
    });
    expect(delivered.sort()).toEqual(["a b", "a b poison c", "c", "poison", "poison c"]);
  });

  it("is paused by Lambda's API, keeps its place, and goes on with what came meanwhile", async () => {
    const lambda = new LambdaClient(clientOf("LAMBDA"));
    const UUID = "Fixture-App-StreamMapping";
    const reach = async (State: string) => {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: State === "Enabled" }));
      await eventually(async () => {
        const found = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
        return found.State === State || undefined;
      });
    };
    const put = (text: string) =>
      new KinesisClient(clientOf("KINESIS")).send(
        new PutRecordsCommand({
          StreamName: "Fixture-App-Stream",
          Records: [{ Data: Buffer.from(text), PartitionKey: "k" }],
        }),
      );
    const before = (await seen("kinesis")).length;
    await reach("Disabled");
    await put("meanwhile");
    expect((await state()).mappings.StreamMapping).toBe("Disabled");
    expect(await seen("kinesis")).toHaveLength(before);
    await reach("Enabled");
    await put("afterwards");
    const texts = await eventually(async () => {
      const all = (await seen("kinesis")).flatMap(({ Records }) =>
        // biome-ignore lint/suspicious/noExplicitAny: the function's event, as JSON
        Records.map(({ kinesis }: any) => Buffer.from(kinesis.data, "base64").toString()),
      );
      return all.includes("afterwards") ? all : undefined;
    });
    expect(texts.filter((text) => text === "meanwhile")).toHaveLength(1);
    expect(texts.filter((text) => text === "a")).toHaveLength(2);
  });
});

describe("a service", () => {
  const processes = async () => (await state()).services.WorkerService.processes;

  it("runs its image's command with the template's environment", async () => {
    const log = join(run.ready.runDirectory, "logs", "WorkerService-0.log");
    const line = await eventually(async () => (await readFile(log, "utf8")).split("\n")[0] || undefined);
    const { environment, execArgv, directory } = JSON.parse(line);
    expect(environment).toMatchObject({
      NODE_ENV: "production",
      GREETING: "hello there",
      BUCKET: "fixture-app-blobs",
      BROKERS: run.ready.bootstrapServers,
    });
    expect(execArgv).toContain("--max-old-space-size=384");
    expect(directory.endsWith("/app")).toBe(true);
  });

  it("replaces a process that is killed", async () => {
    const [first, second] = await processes();
    await control("/services/WorkerService/kill?index=0");
    const replaced = await eventually(async () => {
      const now = await processes();
      return now[0].restarts === 1 && now[0].running ? now : undefined;
    });
    expect(replaced[0].pid).not.toBe(first.pid);
    expect(replaced[1].pid).toBe(second.pid);
  });

  it("pauses and continues a process", async () => {
    const [, { pid }] = await processes();
    const status = async () => /State:\s+(\S)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    await control("/services/WorkerService/pause?index=1");
    expect(await eventually(async () => ((await status()) === "T" ? "stopped" : undefined))).toBe("stopped");
    await control("/services/WorkerService/continue?index=1");
    expect(await eventually(async () => ((await status()) !== "T" ? "going" : undefined))).toBe("going");
  });

  it("is scaled out and in, with SIGTERM", async () => {
    await control("/services/WorkerService/count?n=3");
    expect(await processes()).toHaveLength(3);
    const log = join(run.ready.runDirectory, "logs", "WorkerService-2.log");
    // It is there once the process has said something.
    await eventually(async () => (await readFile(log, "utf8").catch(() => "")) || undefined);
    await control("/services/WorkerService/count?n=2");
    expect(await processes()).toHaveLength(2);
    expect(await readFile(log, "utf8")).toContain("stopped in order");
  });
});

describe("a link", () => {
  it("cuts the way to an emulator and restores it", async () => {
    const client = new S3Client({ ...clientOf("S3"), maxAttempts: 1 });
    const put = () =>
      client.send(new PutObjectCommand({ Bucket: run.ready.buckets.Blobs, Key: "k", Body: "v" }));
    await put();
    await control("/links/s3/cut");
    await expect(put()).rejects.toThrow();
    await control("/links/s3/restore");
    await put();
  });
});

it("answers 404 for what the control server does not know", async () => {
  for (const path of ["/services/nobody/kill", "/links/nobody/cut", "/brokers/9/kill", "/other"]) {
    const response = await fetch(`${run.ready.controlUrl}${path}`, { method: "POST" });
    expect(response.status).toBe(404);
  }
});
