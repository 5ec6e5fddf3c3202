/**
 * What kafkajs alone takes: `node read.ts <bootstrap servers> <topic> <cold events> <events> <read | parse>`. It fetches as
 * processors/adapters/kafka-membership.ts does, and with `parse` makes an object of each value.
 */
import { Kafka, logLevel } from "kafkajs";
import { PARTITIONS } from "../events.ts";
import { Marks } from "./marks.ts";

const FETCHING = { maxWaitTimeInMs: 100, minBytes: 1, maxBytesPerPartition: 1024 * 1024 };

const [bootstrapServers, topic, coldEvents, events, what] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  "read" | "parse",
];
const utf8 = new TextDecoder("utf-8", { fatal: true });
const kafka = new Kafka({ clientId: "bench-read", brokers: [bootstrapServers], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ ...FETCHING, groupId: `read-${process.pid}-${Date.now()}` });
const marks = new Marks(Number(coldEvents), Number(events));
let read = 0;
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: PARTITIONS,
  eachBatch: async ({ batch: { messages } }) => {
    if (what === "parse") for (const { value } of messages) JSON.parse(utf8.decode(value!));
    read += messages.length;
    if (marks.passed(read)) process.exit(0);
  },
});
