/** Turns the topics' records into the tables that the comparisons read. */
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import type { Kafka, KafkaMessage } from "kafkajs";
import { lateHeaders, WATERMARK_HEADER } from "../../contracts/dead-letter.ts";
import { DEAD_LETTERS_TOPIC, lateTopic, resultsTopic } from "../../contracts/topics.ts";
import { LOG_TABLE } from "../flights/expected.ts";
import { LATE_TABLE, windowsTable } from "./compare.ts";
import { type EndOffsets, readTopic } from "./topic-reader.ts";
import { appendWindow, resultOf } from "./windows.ts";

/** What is read, and where it goes. */
export interface Reading {
  readonly kafka: Kafka;
  readonly db: DuckDBConnection;
  readonly signal: AbortSignal;
}

/** Reads the source topic into the table `log`; resolves with where it ended. */
export function loadLog({ kafka, db, signal }: Reading, topic: string): Promise<EndOffsets> {
  return loadTable(db, "log", LOG_TABLE, (appender) =>
    readTopic(
      kafka,
      topic,
      ({ partition, messages }) => {
        for (const message of messages) appendLogRecord(appender, partition, message);
      },
      signal,
    ),
  );
}

/** Reads the late topic into the table `late`. */
export async function loadLate({ kafka, db, signal }: Reading, pipeline: string): Promise<void> {
  await loadTable(db, "late", LATE_TABLE, (appender) =>
    readTopic(
      kafka,
      lateTopic(pipeline),
      ({ messages }) => {
        for (const { headers, value } of messages) {
          appender.appendInteger(Number(headers?.[lateHeaders.partition]?.toString() ?? -1));
          appender.appendBigInt(BigInt(headers?.[lateHeaders.offset]?.toString() ?? -1));
          appendText(appender, parseEvent(value)?.id);
          appender.endRow();
        }
      },
      signal,
    ),
  );
}

/** Reads the results topic into the table `published`; resolves with the offset after each partition's last result. */
export async function loadResults({ kafka, db, signal }: Reading, pipeline: string): Promise<EndOffsets> {
  const ends = new Map<number, number>();
  await loadTable(db, "published", windowsTable("published"), (appender) =>
    readTopic(
      kafka,
      resultsTopic(pipeline),
      ({ partition, messages }) => {
        for (const { offset, value } of messages) {
          ends.set(partition, Number(offset) + 1);
          appendWindow(appender, resultOf(JSON.parse(value!.toString()), pipeline));
        }
      },
      signal,
    ),
  );
  return ends;
}

/** How many records the dead-letters topic holds. */
export async function countDeadLetters({ kafka, signal }: Omit<Reading, "db">): Promise<number> {
  let count = 0;
  await readTopic(
    kafka,
    DEAD_LETTERS_TOPIC,
    ({ messages }) => {
      count += messages.length;
    },
    signal,
  );
  return count;
}

async function loadTable<T>(
  db: DuckDBConnection,
  name: string,
  definition: string,
  load: (appender: DuckDBAppender) => Promise<T>,
): Promise<T> {
  await db.run(definition);
  const appender = await db.createAppender(name);
  try {
    return await load(appender);
  } finally {
    appender.closeSync();
  }
}

/** The fields of a flight.departed event as they come off the topic: any of them may be missing or of another type. */
interface ParsedEvent {
  readonly id?: unknown;
  readonly source?: unknown;
  readonly type?: unknown;
  readonly subject?: unknown;
  readonly partitionkey?: unknown;
  readonly time?: unknown;
  readonly data?: {
    readonly origin?: unknown;
    readonly destination?: unknown;
    readonly delayMin?: unknown;
    readonly distanceMi?: unknown;
  };
}

function appendLogRecord(appender: DuckDBAppender, partition: number, message: KafkaMessage): void {
  const { offset, key, value, headers } = message;
  const watermark = headers?.[WATERMARK_HEADER]?.toString();
  const event = watermark === undefined ? parseEvent(value) : undefined;
  appender.appendInteger(partition);
  appender.appendBigInt(BigInt(offset));
  if (watermark === undefined) appender.appendNull();
  else appender.appendBigInt(BigInt(watermark));
  appendText(appender, key?.toString());
  appendText(appender, event?.source);
  appendText(appender, event?.id);
  appendText(appender, event?.type);
  appendText(appender, event?.subject);
  appendText(appender, event?.partitionkey);
  const timeMs = Date.parse(String(event?.time));
  if (Number.isNaN(timeMs)) appender.appendNull();
  else appender.appendBigInt(BigInt(timeMs));
  appendText(appender, event?.data?.origin);
  appendText(appender, event?.data?.destination);
  appendInteger(appender, event?.data?.delayMin);
  appendInteger(appender, event?.data?.distanceMi);
  appender.endRow();
}

function parseEvent(value: Buffer | null): ParsedEvent | undefined {
  try {
    const parsed: unknown = JSON.parse(value?.toString() ?? "");
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    // Not JSON: the row keeps its position only, and the comparison with the file names it.
    return undefined;
  }
}

function appendText(appender: DuckDBAppender, value: unknown): void {
  if (typeof value === "string") appender.appendVarchar(value);
  else appender.appendNull();
}

function appendInteger(appender: DuckDBAppender, value: unknown): void {
  if (Number.isInteger(value)) appender.appendInteger(value as number);
  else appender.appendNull();
}
