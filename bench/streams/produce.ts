/** Fills a stream's topic, in a process of its own: `node produce.ts <ProduceOptions as JSON>`. */
import { createKafka } from "../../runtime/kafka.ts";
import { closingEvents, eventAt, PARTITIONS, partitionOfEvent, type Stream } from "./events.ts";

export interface ProduceOptions {
  readonly bootstrapServers: string;
  readonly stream: Stream;
  readonly events: number;
  /** Each record carries its event's time, as a peer needs it; kafkajs' own encoder writes those, which takes longer. */
  readonly withTimestamps: boolean;
  /** Closing events follow. */
  readonly isClosed: boolean;
}

/** Of a partition: kafkajs takes a time that grows with the square of it. */
const MAX_RECORDS = 1_000;

interface ProducedRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly partition: number;
  readonly timestamp?: string;
}

const options = JSON.parse(process.argv[2]!) as ProduceOptions;
const kafka = createKafka({ clientId: "bench", bootstrapServers: options.bootstrapServers });
const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
let records: ProducedRecord[][] = Array.from({ length: PARTITIONS }, () => []);
for (const event of eventsInOrder()) {
  const partition = partitionOfEvent(event);
  const ofPartition = records[partition]!;
  ofPartition.push({
    key: Buffer.from(event.key),
    value: Buffer.from(JSON.stringify(event)),
    partition,
    ...(options.withTimestamps && { timestamp: String(event.time) }),
  });
  if (ofPartition.length === MAX_RECORDS) await flush();
}
await flush();
await producer.disconnect();

/** One request for each partition, all at once; the next records wait, so that each partition keeps its order. */
async function flush(): Promise<void> {
  const { topic } = options.stream;
  const sends = records.filter((messages) => messages.length > 0);
  records = Array.from({ length: PARTITIONS }, () => []);
  await Promise.all(sends.map((messages) => producer.send({ topic, messages, acks: -1 })));
}

function* eventsInOrder() {
  for (let index = 0; index < options.events; index++) yield eventAt(options.stream, index);
  if (options.isClosed) yield* closingEvents(options.events, 0);
}
