/** Every way in which output may differ from what is expected is found, counted and named. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { beforeEach, expect, test } from "vitest";
import {
  compareLate,
  compareLogWithFile,
  compareWindows,
  countRepeats,
  LATE_TABLE,
  windowsTable,
} from "../../../cli/demo/compare.ts";
import { judgeLog } from "../../../cli/flights/expected.ts";
import { eventBatches, loadFlights, PARTITIONS } from "../../../cli/flights/flights.ts";
import { logFlights } from "../../../cli/flights/log.ts";

let instance: DuckDBInstance;
let db: DuckDBConnection;

/** A log of one partition that holds the file's first flights as they should be, and exact output. */
beforeEach(async () => {
  instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  db = await instance.connect();
  await loadFlights(db, 2_000);
  await logFlights(db, 1);
  await judgeLog(db);
  await db.run(windowsTable("served"));
  await db.run("INSERT INTO served SELECT * FROM expected");
  await db.run(LATE_TABLE);
  await db.run("INSERT INTO late SELECT part, off, id FROM judged WHERE outcome = 'late'");
});

test("exact output differs in nothing", async () => {
  expect(await compareLogWithFile(db)).toEqual({ count: 0, examples: [] });
  expect(await compareWindows(db, "served")).toEqual({ count: 0, examples: [] });
  expect(await compareLate(db)).toEqual({ count: 0, examples: [] });
  expect(await countRepeats(db)).toBe(0);
});

test.each([
  { change: "DELETE FROM log WHERE off = 7", count: 1 },
  { change: "UPDATE log SET delay_min = delay_min + 1 WHERE off = 7", count: 2 },
  { change: "UPDATE log SET time_ms = NULL WHERE off = 7", count: 2 },
  { change: "UPDATE log SET record_key = 'XXX' WHERE off = 7", count: 2 },
  { change: "UPDATE log SET source = NULL WHERE off = 7", count: 2 },
  { change: "INSERT INTO log (part, off) VALUES (0, 99999)", count: 1 },
])("a log that is not the file's: $change", async ({ change, count }) => {
  await db.run(change);

  const difference = await compareLogWithFile(db);

  expect(difference.count).toBe(count);
  expect(difference.examples).toHaveLength(count);
});

test("a repeated event is a repeat, not a difference", async () => {
  await db.run("INSERT INTO log SELECT * REPLACE (99999 AS off) FROM log WHERE off = 7");

  expect(await compareLogWithFile(db)).toEqual({ count: 0, examples: [] });
  expect(await countRepeats(db)).toBe(1);
});

const FIRST = "(key, window_start) IN (SELECT (key, window_start) FROM expected ORDER BY ALL LIMIT 1)";

test.each([
  { change: `DELETE FROM served WHERE ${FIRST}`, says: "missing" },
  { change: `INSERT INTO served SELECT * FROM served WHERE ${FIRST}`, says: "2 times", count: 2 },
  { change: "INSERT INTO served VALUES ('XXX', 0, 3600000, 1, 1, 1, 1, 1)", says: "unexpected" },
  { change: `UPDATE served SET window_end = 0 WHERE ${FIRST}`, says: "missing", count: 2 },
  { change: `UPDATE served SET flights = flights + 1 WHERE ${FIRST}`, says: "expected [" },
  { change: `UPDATE served SET mean_delay_min = mean_delay_min + 1e-9 WHERE ${FIRST}`, says: "expected [" },
  { change: `UPDATE served SET max_delay_min = NULL WHERE ${FIRST}`, says: "expected [" },
  { change: `UPDATE served SET min_delay_min = -1 - min_delay_min WHERE ${FIRST}`, says: "expected [" },
  { change: `UPDATE served SET delayed = delayed + 1 WHERE ${FIRST}`, says: "expected [" },
])("windows that differ: $change", async ({ change, says, count = 1 }) => {
  await db.run(change);

  const difference = await compareWindows(db, "served");

  expect(difference.count).toBe(count);
  expect(difference.examples.join("\n")).toContain(says);
});

test.each([
  { change: "DELETE FROM late", count: "every" },
  { change: "INSERT INTO late SELECT * FROM late", count: "every" },
  { change: "UPDATE late SET id = 'another'", count: "twice" },
])("a late topic that differs: $change", async ({ change, count }) => {
  const reader = await db.runAndReadAll("SELECT count(*)::INTEGER FROM late");
  const late = reader.getRows()[0]![0] as number;
  await db.run(change);

  const difference = await compareLate(db);

  expect(late).toBeGreaterThan(0);
  expect(difference.count).toBe(count === "twice" ? 2 * late : late);
});

test("batches hold every flight once, each partition's in arrival order", async () => {
  const departures = new Map<number, number[]>();
  const ids = new Set<string>();
  let events = 0;
  for await (const { partition, count, body } of eventBatches(await instance.connect(), 300)) {
    events += count;
    for (const { id, time, data } of JSON.parse(body)) {
      ids.add(id);
      departures.set(partition, [
        ...(departures.get(partition) ?? []),
        Date.parse(time) + data.delayMin * 60_000,
      ]);
    }
  }

  expect(events).toBe(2_000);
  expect(ids.size).toBe(2_000);
  expect(departures.size).toBe(PARTITIONS);
  for (const times of departures.values()) expect(times).toEqual([...times].sort((a, b) => a - b));
});
