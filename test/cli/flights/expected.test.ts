/** The ground truth's SQL against a second, plain one: a loop over the log that does what the rules say. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeLog, LOG_TABLE } from "../../../cli/flights/expected.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2001, 0, 1);
const AIRPORTS = ["ATL", "ORD", "LAX"];

interface LogRecord {
  readonly partition: number;
  readonly id: number;
  readonly origin: string;
  readonly minute: number;
  readonly delayMin: number;
  readonly watermark: boolean;
}

interface ExpectedWindow {
  flights: number;
  meanDelayMin: number;
  maxDelayMin: number;
  minDelayMin: number;
  delayed: number;
}

/** An id belongs to one flight, so a repeated one repeats its partition, time and data. */
const flight = (id: number): Omit<LogRecord, "watermark"> => ({
  id,
  partition: id % 2,
  origin: AIRPORTS[id % AIRPORTS.length]!,
  minute: (id * 37) % 420,
  delayMin: ((id * 13) % 61) - 20,
});

const logs = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.nat(60).map((id) => ({ ...flight(id), watermark: false })) },
    { weight: 1, arbitrary: fc.nat(420).map((minute) => ({ ...flight(minute), minute, watermark: true })) },
  ),
  { maxLength: 120 },
);

test("the SQL and a loop over the log agree on every outcome and every window", async () => {
  await fc.assert(
    fc.asyncProperty(logs, async (log) => {
      const db = await databaseOf(log);

      await judgeLog(db);

      expect(await outcomesOf(db)).toEqual(outcomesByLoop(log));
      expect(await windowsOf(db)).toEqual(windowsByLoop(log));
    }),
    { numRuns: 60 },
  );
});

test("an event at the watermark's very edge is late, one a millisecond later is counted", async () => {
  const timeMs = [0, 2 * HOUR_MS - 1, 30 * 60_000, 2 * HOUR_MS, 31 * 60_000];
  const db = await emptyDatabase();
  for (const [offset, time] of timeMs.entries())
    await insertEvent(db, { offset, id: offset, timeMs: START_MS + time });

  const { counted, late } = await judgeLog(db);

  // At offset 2, W is 00:59:59.999: its hour is open still. At offset 4, W is 01:00: the hour has closed.
  expect({ counted, late }).toEqual({ counted: 4, late: 1 });
  expect([...(await outcomesOf(db)).entries()].filter(([, outcome]) => outcome === "late")).toEqual([
    ["0/4", "late"],
  ]);
});

test("an event beyond the horizon is late however often it was seen, and is no first sighting", async () => {
  const db = await emptyDatabase();
  const minutes = [10, 10, 300, 10];
  for (const [offset, minute] of minutes.entries()) {
    await insertEvent(db, { offset, id: minute, timeMs: START_MS + minute * 60_000 });
  }

  await judgeLog(db);

  expect([...(await outcomesOf(db)).values()]).toEqual(["counted", "duplicate", "counted", "late"]);
});

async function emptyDatabase(): Promise<DuckDBConnection> {
  const db = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  await db.run(LOG_TABLE);
  return db;
}

async function databaseOf(log: readonly LogRecord[]): Promise<DuckDBConnection> {
  const db = await emptyDatabase();
  const appender = await db.createAppender("log");
  for (const [offset, record] of log.entries()) {
    appender.appendInteger(record.partition);
    appender.appendBigInt(BigInt(offset));
    const timeMs = BigInt(START_MS + record.minute * 60_000);
    if (record.watermark) {
      appender.appendBigInt(timeMs);
      for (let column = 3; column < appender.columnCount; column++) appender.appendNull();
    } else {
      appender.appendNull();
      for (const text of [record.origin, "source", String(record.id), "type", record.origin, record.origin]) {
        appender.appendVarchar(text);
      }
      appender.appendBigInt(timeMs);
      appender.appendVarchar(record.origin);
      appender.appendVarchar("JFK");
      appender.appendInteger(record.delayMin);
      appender.appendInteger(100);
    }
    appender.endRow();
  }
  appender.closeSync();
  return db;
}

async function insertEvent(
  db: DuckDBConnection,
  { offset, id, timeMs }: { offset: number; id: number; timeMs: number },
): Promise<void> {
  await db.run(`INSERT INTO log (part, off, source, id, time_ms, origin, delay_min)
    VALUES (0, ${offset}, 'source', '${id}', ${timeMs}, 'ATL', 0)`);
}

async function outcomesOf(db: DuckDBConnection): Promise<Map<string, string>> {
  const reader = await db.runAndReadAll("SELECT part || '/' || off, outcome FROM judged ORDER BY part, off");
  return new Map(reader.getRows() as [string, string][]);
}

async function windowsOf(db: DuckDBConnection): Promise<Map<string, ExpectedWindow>> {
  const reader = await db.runAndReadAll(`SELECT key || ' ' || window_start || '-' || window_end AS name,
    flights, mean_delay_min, max_delay_min, min_delay_min, delayed FROM expected ORDER BY name`);
  const rows = reader.getRows() as [string, number, number, number, number, number][];
  return new Map(
    rows.map(([name, flights, meanDelayMin, maxDelayMin, minDelayMin, delayed]) => [
      name,
      { flights, meanDelayMin, maxDelayMin, minDelayMin, delayed },
    ]),
  );
}

/** Judges the log record by record, in order. */
function* judgeByLoop(
  log: readonly LogRecord[],
): Generator<{ at: string; outcome: string; record: LogRecord }> {
  const watermarks = new Map<number, number>();
  const seen = new Set<number>();
  const inPartitionOrder = [...log.entries()].sort(([, a], [, b]) => a.partition - b.partition);
  for (const [offset, record] of inPartitionOrder) {
    const { partition, minute, id, watermark } = record;
    const w = watermarks.get(partition) ?? Number.NEGATIVE_INFINITY;
    const raised = watermark ? minute : minute - 60;
    watermarks.set(partition, Math.max(w, raised));
    if (watermark) continue;
    const endMinute = (Math.floor(minute / 60) + 1) * 60;
    const at = `${partition}/${offset}`;
    if (minute < w - 60) {
      yield { at, outcome: "late", record };
    } else if (seen.has(id)) {
      yield { at, outcome: "duplicate", record };
    } else {
      seen.add(id);
      yield { at, outcome: w >= endMinute ? "late" : "counted", record };
    }
  }
}

function outcomesByLoop(log: readonly LogRecord[]): Map<string, string> {
  return new Map([...judgeByLoop(log)].map(({ at, outcome }) => [at, outcome]));
}

function windowsByLoop(log: readonly LogRecord[]): Map<string, ExpectedWindow> {
  const delays = new Map<string, number[]>();
  for (const { outcome, record } of judgeByLoop(log)) {
    if (outcome !== "counted") continue;
    const startMs = START_MS + Math.floor(record.minute / 60) * HOUR_MS;
    const name = `${record.origin} ${startMs}-${startMs + HOUR_MS}`;
    delays.set(name, [...(delays.get(name) ?? []), record.delayMin]);
  }
  const sorted = [...delays].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([name, minutes]) => [name, windowOf(minutes)]));
}

function windowOf(minutes: readonly number[]): ExpectedWindow {
  return {
    flights: minutes.length,
    meanDelayMin: minutes.reduce((sum, minute) => sum + minute, 0) / minutes.length,
    maxDelayMin: Math.max(...minutes),
    minDelayMin: Math.min(...minutes),
    delayed: minutes.filter((minute) => minute > 15).length,
  };
}
