/** What the sink says of its load, from what it can know: when Kafka took the records of its batches. */
import { beforeEach, expect, it } from "vitest";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { SinkLoadSignals } from "../../../lambdas/sink/load-signals.ts";
import { delivery, mskRecord, result } from "../support/result-records.ts";

const TOPICS = { flights: ["airport-delays", "airport-delays.hourly"], clickstream: ["airport-delays"] };

/** A batch is full with one record, where a test does not say otherwise. */
const loadOf = (table: { write(signal: LoadSignal): Promise<void> }, batchRecords = 1) =>
  new SinkLoadSignals(TOPICS, batchRecords, table, (error) => failures.push(error));

let told: LoadSignal[];
let failures: Error[];
let failing: Error | undefined;
let load: SinkLoadSignals;
beforeEach(() => {
  told = [];
  failures = [];
  failing = undefined;
  const table = {
    write: async (signal: LoadSignal) => {
      if (failing) throw failing;
      told.push(signal);
    },
  };
  load = loadOf(table);
});

/** A batch whose records Kafka took at these times, stored at `nowMs`. */
const stored = (nowMs: number, ...timestamps: readonly number[]): Promise<void> =>
  load.stored(delivery(timestamps.map((timestamp) => mskRecord(result, { timestamp }))), nowMs);

const loads = () => told.map(({ load: value }) => Number(value.toFixed(2)));

it("speaks for each partition, to all whose events end up in the results", async () => {
  await stored(100_000, 98_000, 99_000);
  expect(told).toEqual([
    {
      stage: "sink",
      source: "airport-delays.results/0",
      topics: ["flights", "clickstream"],
      load: 0.1,
      atMs: 100_000,
    },
  ]);
});

it("is as loaded as its newest record is late, while it keeps up", async () => {
  for (let nowMs = 100_000; nowMs <= 160_000; nowMs += 10_000) await stored(nowMs, nowMs - 3_000);
  expect(loads()).toEqual([0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]);
});

it("is less loaded where it catches up: an hour of log that is stored in a minute", async () => {
  const startMs = 10_000_000;
  for (let seconds = 0; seconds <= 50; seconds += 5) {
    await stored(startMs + seconds * 1_000, startMs - 3_600_000 + seconds * 60_000);
  }
  // Where nothing is known of the pace the age alone counts, up to the largest load there is.
  expect(loads()[0]).toBe(99);
  // An hour and no more waits at 60 times the pace of time: a minute, by ten seconds.
  expect(loads()[1]).toBeCloseTo((3_600 - 295) / 60 / 10, 1);
  expect(loads().at(-1)).toBeCloseTo((3_600 - 2_950) / 60 / 10, 1);
});

it("is more and more loaded where it falls behind", async () => {
  for (let seconds = 0; seconds <= 60; seconds += 10) {
    await stored(1_000_000 + seconds * 1_000, 1_000_000 + seconds * 500);
  }
  expect(loads()).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3]);
});

it("is never more loaded than its records are late, however many were written at one time", async () => {
  for (let seconds = 1; seconds <= 21; seconds += 5) await stored(1_000_000 + seconds * 1_000, 1_000_000);
  expect(loads()).toEqual([0.1, 0.6, 1.1, 1.6, 2.1]);
});

it("takes no batch that comes again for progress, and no clock that is behind for less than nothing", async () => {
  await stored(100_000, 99_000);
  await stored(110_000, 90_000);
  await stored(120_000, 125_000);
  expect(loads()).toEqual([0.1, 2, 0]);
});

it("speaks every five seconds, for each partition by itself", async () => {
  const other = mskRecord(result, { partition: 1, timestamp: 100_000 });
  await stored(100_000, 100_000);
  await stored(104_999, 104_000);
  await load.stored({ ...delivery([]), records: { other: [other] } }, 104_999);
  await stored(105_000, 105_000);
  expect(told.map(({ source, atMs }) => [source.at(-1), atMs])).toEqual([
    ["0", 100_000],
    ["1", 104_999],
    ["0", 105_000],
  ]);
});

it("stores all the same where nobody can be told", async () => {
  failing = new Error("away");
  await stored(100_000, 100_000);
  expect(failures).toEqual([failing]);
});

it("is idle with a batch that is not full, behind which nothing waits, and says so at once", async () => {
  load = loadOf({ write: async (signal) => void told.push(signal) }, 2);
  await stored(100_000, 80_000, 80_000);
  await stored(101_000, 80_000);
  await stored(102_000, 80_000);
  expect(told.map(({ atMs, load: value }) => [atMs, value])).toEqual([
    [100_000, 2],
    [101_000, 0],
  ]);
});

it("takes a batch for full that may have ended for its bytes", async () => {
  load = loadOf({ write: async (signal) => void told.push(signal) }, 500);
  const value = Buffer.alloc(3.5 * 1024 * 1024);
  await load.stored(delivery([mskRecord(value, { timestamp: 80_000 })]), 100_000);
  expect(loads()).toEqual([2]);
});
