/**
 * The input topic: partitions that grow over time, whose offsets jump over transaction markers and compacted records,
 * and whose newest records stay invisible while the transaction of their producer is open.
 */
import type { RecordBatch } from "../../../../processors/engine/log/port.ts";
import type { Tick } from "../../../../processors/engine/task/cut.ts";
import { batchOf } from "../../../support/records.ts";
import type { InputRecord } from "./scenario.ts";
import type { World } from "./world.ts";

const MAX_BATCH_RECORDS = 12;
/** A broker sends whole batches, also where the position is inside of one. */
const MAX_RECORDS_BELOW = 3;

interface Partition {
  readonly records: readonly InputRecord[];
  low: number;
  recreated: boolean;
}

export class InputModel {
  readonly topic: string;
  readonly #world: World;
  readonly #partitions: readonly Partition[];
  /** What the cluster says; a changed one must park every task. */
  partitionCount: number;

  constructor(world: World, topic: string, input: readonly (readonly InputRecord[])[]) {
    this.topic = topic;
    this.#world = world;
    this.partitionCount = input.length;
    this.#partitions = input.map((records) => ({ records, low: 0, recreated: false }));
  }

  get partitions(): readonly number[] {
    return this.#partitions.map((_, partition) => partition);
  }

  /** The position of one who has applied everything. */
  endOf(partition: number): number {
    return this.#partitions[partition]!.records.at(-1)!.offset + 1;
  }

  /** Records of open transactions are part of the log; once they end, so are the markers behind them. */
  bounds(partition: number): { low: number; high: number } {
    const { low, recreated, records } = this.#partitions[partition]!;
    if (recreated) return { low: 0, high: 0 };
    const { nowMs } = this.#world;
    const next = records.findIndex(({ arrivalMs }) => arrivalMs > nowMs);
    const last = records[next === -1 ? records.length - 1 : next - 1];
    if (last === undefined) return { low, high: low };
    const high = next !== -1 && last.visibleMs <= nowMs ? records[next]!.offset : last.offset + 1;
    return { low, high: Math.max(low, high) };
  }

  offsetAt(partition: number, arrivalMs: number): number {
    const { low, high } = this.bounds(partition);
    const found = this.#partitions[partition]!.records.find(
      (record) => record.offset >= low && record.arrivalMs >= arrivalMs,
    );
    return Math.min(found?.offset ?? high, high);
  }

  /** Rule 3: whether the task stood at the end of the log at the time that the tick says. */
  isAtEnd(partition: number, { offsets, nowMs }: Tick): boolean {
    const next = this.#partitions[partition]!.records.find(({ offset }) => offset >= offsets[0]!);
    return next === undefined || next.arrivalMs > nowMs;
  }

  /** Retention takes everything that was written until now. */
  truncate(partition: number): void {
    this.#partitions[partition]!.low = this.bounds(partition).high;
  }

  recreate(partition: number): void {
    this.#partitions[partition]!.recreated = true;
  }

  repair(partition: number): void {
    const lost = this.#partitions[partition]!;
    lost.low = 0;
    lost.recreated = false;
  }

  /** What a fetch from the position brings; null where there is nothing to be read yet. */
  fetch(partition: number, position: number): RecordBatch | null {
    const { records, low, recreated } = this.#partitions[partition]!;
    if (recreated || this.#world.isAway(`leader/${partition}`)) return null;
    const first = firstAtOrAbove(records, Math.max(position, low));
    const most = Math.min(records.length, first + this.#world.between(1, MAX_BATCH_RECORDS));
    let to = first;
    while (to < most && records[to]!.visibleMs <= this.#world.nowMs) to += 1;
    const nextOffset = this.#nextOffset(partition, to, position);
    if (to === first && nextOffset <= position) return null;
    const from =
      to > first && this.#world.chance(0.1) ? first - this.#world.between(0, MAX_RECORDS_BELOW) : first;
    return { ...batchOf({ topic: this.topic, partition }, records.slice(Math.max(0, from), to)), nextOffset };
  }

  /** Markers behind the last record may come with it, or in a fetch of their own. */
  #nextOffset(partition: number, to: number, position: number): number {
    const { records } = this.#partitions[partition]!;
    const behind = records[to - 1] === undefined ? position : Math.max(position, records[to - 1]!.offset + 1);
    const { high } = this.bounds(partition);
    const isAllMarkers = records[to] === undefined || records[to]!.offset >= high;
    return isAllMarkers && (behind === position || this.#world.random() < 0.5)
      ? Math.max(behind, high)
      : behind;
  }
}

function firstAtOrAbove(records: readonly InputRecord[], position: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (records[middle]!.offset < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
