/**
 * The input of a run: disorder, duplicates, late events, every kind of bad record, offsets that jump, quiet times,
 * and producers that leave transactions open.
 */
import { keyHash } from "../../../../contracts/partitioning.ts";
import type { TestRecord } from "../../../support/records.ts";
import { watermark } from "../task-fixture.ts";
import type { World } from "./world.ts";

export const PARTITIONS = 3;
const RECORDS = 250;
const RECORD_INTERVAL_MS = 30;
/** Beyond every event's time: the watermark record at the end of the input closes all windows. */
const END_MS = 1_000_000;

/** A record, and when who may see it. */
export interface InputRecord extends TestRecord {
  readonly arrivalMs: number;
  /** When the producer's transaction is committed; never before that of an earlier record. */
  readonly visibleMs: number;
}

/** Keys of each partition, found by hashing. */
export const keysOf = Array.from({ length: PARTITIONS }, (_, partition) =>
  Array.from({ length: 60 }, (_, index) => `k${index}`)
    .filter((key) => keyHash(new TextEncoder().encode(key)) % PARTITIONS === partition)
    .slice(0, 5),
);

export function makeInput(world: World): InputRecord[][] {
  return keysOf.map((_, partition) => {
    const records: InputRecord[] = [];
    let offset = 0;
    let arrivalMs = 0;
    let visibleMs = 0;
    for (let index = 0; index <= RECORDS; index++) {
      arrivalMs += world.random() < 0.01 ? world.between(300, 1_200) : RECORD_INTERVAL_MS;
      const openMs = world.random() < 0.02 ? world.between(100, 1_500) : 0;
      visibleMs = Math.max(visibleMs, arrivalMs + openMs);
      const record =
        index === RECORDS ? watermark(offset, END_MS) : event(world, partition, offset, index, arrivalMs);
      records.push({ ...record, arrivalMs, visibleMs });
      // Markers of transactions and compacted records take offsets.
      offset += world.random() < 0.15 ? world.between(2, 5) : 1;
    }
    return records;
  });
}

function event(
  world: World,
  partition: number,
  offset: number,
  index: number,
  arrivalMs: number,
): TestRecord {
  const home = world.random() < 0.01 ? (partition + 1) % PARTITIONS : partition;
  const key = world.pick(keysOf[home]!);
  const id = `e${world.between(0, Math.floor(index * 0.95) + 1)}`;
  const t = arrivalMs + world.between(-1_200, 300);
  return { offset, key, value: damaged(world.random(), { id, key, t, v: world.between(-9, 99) }) };
}

function damaged(kind: number, reading: { id: string; key: string; t: number; v: number }): string {
  if (kind < 0.02) return "not json";
  if (kind < 0.03) return JSON.stringify({ ...reading, t: undefined });
  if (kind < 0.04) return JSON.stringify({ ...reading, t: 10 ** 12 });
  // The last aggregates cannot take it, the first ones could.
  if (kind < 0.05) return JSON.stringify({ ...reading, v: null });
  return JSON.stringify(reading);
}
