/** What the ingest benchmark measures, each in a process of its own: see main.ts. */
import { pathToFileURL } from "node:url";
import { Kafka, logLevel, type Message } from "kafkajs";
import { EVENT_HEADERS } from "../../contracts/cloudevent.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import { PRODUCER_HEADER } from "../../contracts/producers.ts";
import { topics } from "../../contracts/topics.ts";
import { requests } from "./requests.ts";

export const TOPIC = "flights";

export interface Where {
  readonly bootstrapServers: string;
  /** The ingest function's bundle. */
  readonly bundle: string;
}

export interface Case {
  readonly name: string;
  /** Does what it does for the nth request. */
  readonly prepare: (where: Where) => Promise<(request: number) => Promise<unknown>>;
}

export const cases: readonly Case[] = [
  { name: "handler", prepare: handler },
  { name: "kafkajs", prepare: (where) => kafkajs(where, plainKafka) },
  { name: "kafkajs, encoded by runtime/", prepare: (where) => kafkajs(where, platformKafka) },
  { name: "@kafkats/client", prepare: (where) => peer("kafkats", where, (headers) => headers) },
  { name: "@platformatic/kafka", prepare: (where) => peer("platformatic", where, inBytes) },
  { name: "JSON there and back", prepare: async () => async (request) => json(request) },
];

/** The function as it is deployed; the one thing that it asks beside Kafka, every 2 s, main.ts answers. */
async function handler({ bundle }: Where): Promise<(request: number) => Promise<unknown>> {
  const { handler: invoke } = await import(pathToFileURL(bundle).href);
  const context = { functionName: "ingest", awsRequestId: "bench", getRemainingTimeInMillis: () => 29_000 };
  return async (request) => {
    const { statusCode, body } = await invoke(requests[request % requests.length], context);
    if (statusCode !== 202) throw new Error(`The handler answered ${statusCode}: ${body}`);
  };
}

/** The same records, made before anything is measured. */
async function kafkajs(
  { bootstrapServers }: Where,
  connect: (bootstrapServers: string) => Promise<Kafka>,
): Promise<(request: number) => Promise<unknown>> {
  const client = await connect(bootstrapServers);
  const producer = client.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const batches = requests.map((_, request) => recordsOf(request));
  return (request) => {
    const topicMessages = [{ topic: TOPIC, messages: batches[request % batches.length]! }];
    return producer.sendBatch({ acks: -1, topicMessages });
  };
}

const plainKafka = async (bootstrapServers: string): Promise<Kafka> =>
  new Kafka({ clientId: "bench", brokers: [bootstrapServers], logLevel: logLevel.NOTHING });

/** Loaded here only, as it changes how kafkajs encodes, in this process for good. */
async function platformKafka(bootstrapServers: string): Promise<Kafka> {
  const { createKafka } = await import("../../runtime/kafka.ts");
  return createKafka({ clientId: "bench", bootstrapServers });
}

interface PeerProducer {
  send(topic: string, records: readonly object[]): Promise<unknown>;
}

async function peer(
  name: string,
  { bootstrapServers }: Where,
  headersOf: (headers: Readonly<Record<string, string>>) => object,
): Promise<(request: number) => Promise<unknown>> {
  const module = new URL(`../peers/${name}.mjs`, import.meta.url);
  const producer = (await (await import(module.href)).connect(bootstrapServers)) as PeerProducer;
  const headers = headersOf(HEADERS);
  const batches = requests.map((_, request) => recordsOf(request).map((record) => ({ ...record, headers })));
  return (request) => producer.send(TOPIC, batches[request % batches.length]!);
}

const inBytes = (headers: Readonly<Record<string, string>>): ReadonlyMap<Buffer, Buffer> =>
  new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));

const HEADERS = { ...EVENT_HEADERS, [PRODUCER_HEADER]: "unsigned" };

/** What the handler makes of a request. */
function recordsOf(request: number): Message[] {
  const { partitions } = topics[TOPIC];
  return eventsOf(request).map((event) => {
    const key = Buffer.from(event.subject);
    const value = Buffer.from(JSON.stringify(event));
    return { key, value, headers: HEADERS, partition: partitionOf(key, partitions) };
  });
}

/** The least that a handler in JavaScript does with a batch whose events become records. */
const json = (request: number): Buffer[] =>
  eventsOf(request).map((event) => Buffer.from(JSON.stringify(event)));

function eventsOf(request: number): { readonly subject: string }[] {
  return JSON.parse(Buffer.from(requests[request % requests.length]!.body!, "base64").toString("utf8"));
}
