/**
 * What records cost a producer, by how many of them a request has: `node produce-child.ts <BatchOptions as JSON>`. One
 * request follows the other, acknowledged by all replicas.
 */
import { environmentVariables } from "../../contracts/environment.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { eventAt, type Stream } from "../streams/events.ts";
import { percentile } from "./percentiles.ts";

export interface BatchOptions {
  readonly stream: Stream;
  /** Of a request, all of one partition. */
  readonly records: number;
}

export interface BatchOutcome {
  readonly records: number;
  readonly perCpuS: number;
  readonly perS: number;
  /** Of a request, until it is acknowledged. */
  readonly p50Ms: number;
}

const WARM_UP_MS = 1_500;
const SEND_MS = 3_000;
const MS_PER_US = 0.001;

const { stream, records } = JSON.parse(process.argv[2]!) as BatchOptions;
const bootstrapServers = requireEnvironment(environmentVariables.bootstrapServers);
const producer = createKafka({ clientId: "bench", bootstrapServers }).producer({
  allowAutoTopicCreation: false,
});
const messages = Array.from({ length: records }, (_, index) => {
  const event = eventAt(stream, index);
  return { key: event.key, value: JSON.stringify(event), partition: 0 };
});
await producer.connect();
await sendFor(WARM_UP_MS);
const before = process.cpuUsage();
const startedMs = performance.now();
const requestsMs = await sendFor(SEND_MS);
const { user, system } = process.cpuUsage(before);
const sent = requestsMs.length * records;
const outcome: BatchOutcome = {
  records,
  perCpuS: (sent * 1_000) / ((user + system) * MS_PER_US),
  perS: (sent * 1_000) / (performance.now() - startedMs),
  p50Ms: percentile(requestsMs, 0.5)!,
};
console.log(JSON.stringify(outcome));
await producer.disconnect();

/** How long each request took. */
async function sendFor(ms: number): Promise<number[]> {
  const tookMs: number[] = [];
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    const sentMs = performance.now();
    await producer.send({ topic: stream.topic, messages, acks: -1 });
    tookMs.push(performance.now() - sentMs);
  }
  return tookMs;
}
