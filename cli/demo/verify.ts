/** The check at the end: everything that came out, held against the file and the log. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Kafka } from "kafkajs";
import type { Manifest } from "../../processors/engine/checkpoint/manifest.ts";
import { judgeLog, type Outcomes } from "../flights/expected.ts";
import { type Percentiles, percentiles } from "../percentiles.ts";
import type { Platform } from "../platform/platform.ts";
import {
  compareLate,
  compareLogWithFile,
  compareWindows,
  countRepeats,
  type Difference,
  windowsTable,
} from "./compare.ts";
import { behind, type GroupProgress } from "./group.ts";
import { readWindows } from "./query-client.ts";
import { compareCounters } from "./tasks.ts";
import type { EndOffsets } from "./topic-reader.ts";
import { countDeadLetters, loadLate, loadLog, loadResults, type Reading } from "./topic-tables.ts";
import { untilNoneRemains } from "./wait.ts";
import { appendWindow } from "./windows.ts";

const HOUR_MS = 3_600_000;
const POLL_MS = 200;
const STALL_TIMEOUT_MS = 90_000;

export interface Verification extends Outcomes {
  /** Events on the topic, and how many of them repeat an earlier one's id. */
  readonly onTopic: number;
  readonly repeats: number;
  readonly deadLetters: number;
  readonly checks: readonly Check[];
  /** Of the query API's pages of up to 200 windows, six asked for at a time. */
  readonly queryMs: Percentiles;
}

/** One comparison, and what differed. */
export interface Check {
  readonly name: string;
  readonly difference: Difference;
}

export interface Verified {
  readonly platform: Platform;
  readonly kafka: Kafka;
  readonly db: DuckDBConnection;
  readonly pipeline: string;
  readonly topic: string;
  /** Called with what is being done. */
  readonly say: (line: string) => void;
  /** The pipeline's group on its source topic. */
  readonly processor: GroupProgress;
  /** The manifests that the pipeline's tasks have committed. */
  readonly manifests: () => Promise<readonly Manifest[]>;
  /** The sink's group on the results topic. */
  readonly sink: GroupProgress;
}

/** Waits until the pipeline and the sink have taken in everything, then reads and compares all of it. */
export async function verify(subject: Verified): Promise<Verification> {
  const { kafka, db, pipeline, topic, platform, say } = subject;
  const reading: Reading = { kafka, db, signal: platform.signal };
  say(`reading ${topic}, waiting for the processor to finish it`);
  const logEnds = await loadLog(reading, topic);
  await untilNoneRemains(() => unprocessed(subject, logEnds), {
    what: `the processor has not committed to the end of ${topic}`,
    intervalMs: POLL_MS,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    signal: platform.signal,
  });
  say("reading the results topic, waiting for the sink to store it");
  const resultEnds = await loadResults(reading, pipeline);
  await untilNoneRemains(async () => behind(await subject.sink.committed(), resultEnds), {
    what: "the sink has not stored every result",
    intervalMs: POLL_MS,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    signal: platform.signal,
  });
  say("working out what must come of that log, reading it all back through the query API");
  const outcomes = await judgeLog(db);
  await loadLate(reading, pipeline);
  const queryMs = await loadServed(subject);
  return {
    ...outcomes,
    ...(await countTopics(reading)),
    checks: await compareAll(subject, outcomes),
    queryMs,
  };
}

/** Records that are not committed, and tasks whose last commit fell inside a firing: they owe results yet. */
async function unprocessed({ processor, manifests }: Verified, ends: EndOffsets): Promise<number> {
  const records = behind(await processor.committed(), ends);
  if (records > 0) return records;
  return (await manifests()).filter(({ firing }) => firing).length;
}

async function countTopics(
  reading: Reading,
): Promise<{ onTopic: number; repeats: number; deadLetters: number }> {
  const events = await reading.db.runAndReadAll(
    "SELECT count(*)::INTEGER FROM log WHERE watermark_ms IS NULL",
  );
  return {
    onTopic: events.getRows()[0]![0] as number,
    repeats: await countRepeats(reading.db),
    deadLetters: await countDeadLetters(reading),
  };
}

async function compareAll({ db, manifests }: Verified, outcomes: Outcomes): Promise<readonly Check[]> {
  return [
    { name: "the topic holds exactly the file's events", difference: await compareLogWithFile(db) },
    { name: "late topic: every late event, once", difference: await compareLate(db) },
    { name: "results topic: every window, once", difference: await compareWindows(db, "published") },
    { name: "query API: every window, every field", difference: await compareWindows(db, "served") },
    { name: "the tasks' own counters", difference: compareCounters(await manifests(), outcomes) },
  ];
}

/** Reads every airport's windows through the query API into the table `served`; resolves with how long pages took. */
async function loadServed({ platform, db, pipeline }: Verified): Promise<Percentiles> {
  const pagesMs: number[] = [];
  const keys = await db.runAndReadAll("SELECT DISTINCT origin FROM judged ORDER BY origin");
  const span = await db.runAndReadAll(
    "SELECT min(window_start)::DOUBLE, max(window_start)::DOUBLE FROM judged",
  );
  const [fromMs, lastMs] = span.getRows()[0] as [number, number];
  await db.run(windowsTable("served"));
  const appender = await db.createAppender("served");
  try {
    await readWindows(
      { url: platform.queryUrl, pipeline, fromMs, toMs: lastMs + HOUR_MS },
      keys.getRows().map(([key]) => key as string),
      {
        onWindow: (window) => appendWindow(appender, window),
        onPage: (latencyMs) => void pagesMs.push(latencyMs),
      },
      platform.signal,
    );
  } finally {
    appender.closeSync();
  }
  return percentiles(pagesMs);
}
