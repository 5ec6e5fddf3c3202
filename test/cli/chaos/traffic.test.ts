/** The input: the seed decides it, and every kind of record is in it. */
import { expect, test } from "vitest";
import { type InputRecord, NUMBER_HEADER, POISON_HEADER, Traffic } from "../../../cli/chaos/traffic.ts";
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import { partitionOf } from "../../../contracts/partitioning.ts";

const PARTITIONS = 4;
const COUNT = 20_000;

const take = (seed: number, count: number): InputRecord[] => new Traffic(seed, PARTITIONS).take(count);
const events = (records: readonly InputRecord[]) =>
  records
    .filter(({ headers }) => !(POISON_HEADER in headers) && !(WATERMARK_HEADER in headers))
    .map(({ key, partition, value }) => ({ key, partition, event: JSON.parse(String(value)) }));

test("repeats with its seed, however it is cut", () => {
  const traffic = new Traffic(7, PARTITIONS);
  const cut = [...traffic.take(10), ...traffic.take(90)];

  expect(cut).toEqual(take(7, 100));
  expect(take(8, 100)).not.toEqual(cut);
});

test("numbers its records, and has poison of every reason, watermarks and repeated events", () => {
  const records = take(1, COUNT);
  const reasons = new Set(records.map(({ headers }) => headers[POISON_HEADER]).filter(Boolean));
  const identities = events(records).map(({ event }) => `${event.source} ${event.id}`);

  expect(records.map(({ headers }) => Number(headers[NUMBER_HEADER]))).toEqual([...records.keys()]);
  expect([...reasons].sort()).toEqual([
    "key-elsewhere",
    "key-too-large",
    "missing-time",
    "too-far-ahead",
    "undecodable",
  ]);
  expect(records.some(({ headers }) => WATERMARK_HEADER in headers)).toBe(true);
  expect(new Set(identities).size).toBeLessThan(identities.length);
});

test("puts an event where its key belongs", () => {
  for (const { key, partition, event } of events(take(2, 2_000))) {
    expect(String(key)).toBe(event.data.origin);
    expect(partition).toBe(partitionOf(key!, PARTITIONS));
  }
});

test("closes every window in the end", () => {
  const traffic = new Traffic(3, PARTITIONS);
  const lastMs = Math.max(...events(traffic.take(2_000)).map(({ event }) => Date.parse(event.time)));
  const watermarks = traffic.flush().map(({ headers }) => Number(headers[WATERMARK_HEADER]));

  expect(watermarks).toHaveLength(PARTITIONS);
  expect(Math.min(...watermarks)).toBeGreaterThanOrEqual(lastMs + 3_600_000);
});
