/**
 * The task: a deterministic state machine over one partition (design, section 4, rules 1, 2, 10 and 13). It has
 * no clock, no I/O and no randomness: the same records in the same order give the same state and outputs,
 * however they were cut into batches.
 */
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import { maxKeyBytes } from "../../../contracts/limits.ts";
import { keyHash } from "../../../contracts/partitioning.ts";
import type { OutputRecord, RecordBatch } from "../log/port.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { IGNORED } from "../pipeline/source.ts";
import { FIRST_SLOT, type OpenWindow, REVISION, type Row } from "../state/open-windows.ts";
import { encodeSnapshot } from "../state/snapshot.ts";
import type { Counters, TaskState } from "../state/task-state.ts";
import { advanceOf, firstWindowStart, lastWindowStart } from "../windows/window.ts";
import { Outbox } from "./outbox.ts";
import { Rejection, rejectionOf, toRejection } from "./rejection.ts";

/** Keys whose bytes and hash are kept, so that a key that comes again costs one look-up. */
const MAX_CACHED_KEYS = 65_536;

export interface TaskOptions {
  readonly definition: PipelineDefinition;
  readonly partition: number;
  /** Partitions of every input. */
  readonly partitions: number;
  readonly generation: number;
  /** The number of the checkpoint that will follow the state. */
  readonly nextCheckpoint: number;
  readonly state: TaskState;
}

/** A consistent cut through a task: its whole state, and everything it wrote since the cut before. */
export interface Cut {
  readonly number: number;
  readonly snapshot: Uint8Array;
  readonly outputs: readonly OutputRecord[];
  /** The next offset to read, for each input. */
  readonly offsets: readonly number[];
  readonly watermarkMs: number;
  readonly counters: Readonly<Counters>;
  /** Whether a firing goes on after the cut. */
  readonly firing: boolean;
}

interface CachedKey {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

const utf8 = new TextEncoder();

export class Task {
  readonly #definition: PipelineDefinition;
  readonly #partition: number;
  readonly #partitions: number;
  readonly #state: TaskState;
  readonly #outbox: Outbox;
  readonly #keys = new Map<string, CachedKey>();
  readonly #emptyRow: readonly number[];
  /** The values that one event contributes, selected before any of them is added. */
  readonly #selected: Float64Array;

  constructor({ definition, partition, partitions, generation, nextCheckpoint, state }: TaskOptions) {
    this.#definition = definition;
    this.#partition = partition;
    this.#partitions = partitions;
    this.#state = state;
    this.#outbox = new Outbox(definition.name, generation, nextCheckpoint);
    this.#emptyRow = emptyRow(definition);
    this.#selected = new Float64Array(definition.aggregates.length);
  }

  get watermarkMs(): number {
    return this.#state.watermarkMs;
  }

  get counters(): Readonly<Counters> {
    return this.#state.counters;
  }

  /** The next offset to read, for each input. */
  get offsets(): readonly number[] {
    return this.#state.offsets;
  }

  /** Size of the outputs that wait for the next checkpoint. */
  get pendingOutputBytes(): number {
    return this.#outbox.bytes;
  }

  /** Whether a firing is due or was interrupted: {@link fire} must end it before records are applied. */
  get firing(): boolean {
    return this.#state.windows.dueMs <= this.#state.watermarkMs;
  }

  /**
   * Applies records of the batch from index `from`, in bounded steps: a record and a fired row are a step each.
   * Stops early when the steps are used up or a firing could not be ended. Records below the expected offset are
   * skipped. Must not be called while {@link firing}.
   * @returns the index of the first record not applied
   */
  apply(batch: RecordBatch, from: number, maxSteps: number): number {
    let left = maxSteps;
    let index = from;
    while (index < batch.count && left > 0 && !this.firing) {
      const offset = batch.offset(index);
      if (offset >= this.#state.offsets[0]!) {
        this.#applyRecord(batch, index);
        this.#state.offsets[0] = offset + 1;
        if (this.firing) left -= this.fire(left);
      }
      index += 1;
      left -= 1;
    }
    return index;
  }

  /** Fires what the watermark has closed, at most `maxRows` rows; returns how many it emitted. */
  fire(maxRows: number): number {
    const { windows, watermarkMs } = this.#state;
    let emitted = 0;
    if (!this.firing) return emitted;
    for (const window of windows.toFire(watermarkMs)) {
      for (let next = window.nextToFire(); next !== undefined; next = window.nextToFire()) {
        this.#emit(window, next[0], next[1]);
        emitted += 1;
        if (emitted >= maxRows) return emitted;
      }
    }
    windows.settle(watermarkMs);
    return emitted;
  }

  /** Takes a consistent cut. The task may go on at once: the cut shares nothing with it. */
  cut(): Cut {
    const { offsets, watermarkMs, counters } = this.#state;
    const number = this.#outbox.checkpoint;
    const snapshot = encodeSnapshot(this.#definition, this.#state);
    return {
      number,
      snapshot,
      outputs: this.#outbox.take(),
      offsets: [...offsets],
      watermarkMs,
      counters: { ...counters },
      firing: this.firing,
    };
  }

  #applyRecord(batch: RecordBatch, index: number): void {
    try {
      const value = batch.value(index);
      if (value === null) this.#applyWatermark(batch, index);
      else this.#applyEvent(batch, index, value);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.#state.counters.dead += 1;
      this.#outbox.deadRecord(batch, index, error.reason, error.message);
    }
  }

  #applyWatermark(batch: RecordBatch, index: number): void {
    const header = batch.header(index, WATERMARK_HEADER);
    if (header === undefined || batch.key(index) !== null) {
      throw new Rejection("undecodable", "the record has no value");
    }
    const watermarkMs = Number(header);
    if (!Number.isSafeInteger(watermarkMs)) {
      throw new Rejection("undecodable", `${WATERMARK_HEADER} is not a whole number of milliseconds`);
    }
    this.#advance(watermarkMs);
  }

  /** Order of judgement: dead, older than the horizon, duplicate, late, counted. */
  #applyEvent(batch: RecordBatch, index: number, value: Uint8Array): void {
    const { source, outOfOrderMs, dedupeHorizonMs } = this.#definition;
    const { counters, seen, watermarkMs } = this.#state;
    const event = rejectionOf("undecodable", () => source.decode(value));
    if (event === IGNORED) {
      counters.ignored += 1;
      return;
    }
    const timeMs = this.#timeOf(event, batch.arrivalMs(index));
    const key = rejectionOf("user-code-failed", () => this.#definition.key(event), "the key function threw");
    const { hash } = this.#keyOf(key);
    this.#select(event);
    if (dedupeHorizonMs !== null && timeMs < watermarkMs - dedupeHorizonMs) {
      this.#late(batch, index, watermarkMs - dedupeHorizonMs - timeMs);
    } else if (seen !== null && !this.#firstSighting(event, timeMs, hash)) {
      counters.duplicate += 1;
    } else {
      this.#place(batch, index, key, timeMs);
    }
    this.#advance(timeMs - outOfOrderMs);
  }

  #timeOf(event: unknown, arrivalMs: number): number {
    const { source } = this.#definition;
    const timeMs = rejectionOf("missing-time", () => source.time(event));
    if (!Number.isFinite(timeMs)) throw new Rejection("missing-time", "the event has no valid time");
    const boundMs = source.futureBoundMs(event);
    if (timeMs > arrivalMs + boundMs) {
      throw new Rejection("too-far-ahead", `time is more than ${boundMs} ms ahead of the record's arrival`);
    }
    return timeMs;
  }

  #keyOf(key: unknown): CachedKey {
    const cached = this.#keys.get(key as string);
    if (cached !== undefined) return cached;
    if (typeof key !== "string" || key === "")
      throw new Rejection("invalid-key", "the key is not text, or is empty");
    // UTF-8 has no half characters: two such keys would be one after recovery, and one's row lost.
    if (!key.isWellFormed()) throw new Rejection("invalid-key", "the key is not well-formed Unicode");
    const bytes = utf8.encode(key);
    if (bytes.length > maxKeyBytes) {
      throw new Rejection("key-too-large", `the key is ${bytes.length} bytes; the limit is ${maxKeyBytes}`);
    }
    const hash = keyHash(bytes);
    const home = hash % this.#partitions;
    if (home !== this.#partition) {
      throw new Rejection(
        "key-elsewhere",
        `the event's key belongs to partition ${home}; produce with that key`,
      );
    }
    if (this.#keys.size >= MAX_CACHED_KEYS) this.#keys.clear();
    const made = { bytes, hash };
    this.#keys.set(key, made);
    return made;
  }

  /** Takes what the event contributes to each aggregate; throws before any of it is added. */
  #select(event: unknown): void {
    const { aggregates } = this.#definition;
    for (let i = 0; i < aggregates.length; i++) {
      const { name, aggregate } = aggregates[i]!;
      let value: number;
      try {
        value = aggregate.select(event);
      } catch (cause) {
        throw toRejection("user-code-failed", cause, `aggregate ${name} threw`);
      }
      if (typeof value !== "number" || !Number.isFinite(value)) {
        throw new Rejection("invalid-event", `aggregate ${name}: the value is not a finite number`);
      }
      this.#selected[i] = value;
    }
  }

  #firstSighting(event: unknown, timeMs: number, hash: number): boolean {
    const { seen } = this.#state;
    const { source } = this.#definition;
    const identity = rejectionOf("user-code-failed", () => source.identity!(event), "identity threw");
    // The snapshot keeps it as UTF-8: anything else would come back as another identity, or not be written at all.
    if (typeof identity !== "string" || !identity.isWellFormed()) {
      throw new Rejection("invalid-event", "the event's identity is not well-formed text");
    }
    if (seen!.has(identity)) return false;
    seen!.add(identity, timeMs, hash);
    return true;
  }

  /** Adds the event to those of its windows that still take events; late is only what comes too late for all. */
  #place(batch: RecordBatch, index: number, key: string, timeMs: number): void {
    const { window, allowedLatenessMs } = this.#definition;
    const { counters, watermarkMs } = this.#state;
    const lastMs = lastWindowStart(window, timeMs);
    const lateByMs = watermarkMs - (lastMs + window.sizeMs + allowedLatenessMs);
    if (lateByMs >= 0) {
      this.#late(batch, index, lateByMs);
      return;
    }
    counters.counted += 1;
    for (let startMs = firstWindowStart(window, timeMs); startMs <= lastMs; startMs += advanceOf(window)) {
      const endMs = startMs + window.sizeMs;
      if (endMs + allowedLatenessMs > watermarkMs) this.#add(key, startMs, endMs);
    }
  }

  #late(batch: RecordBatch, index: number, lateByMs: number): void {
    this.#state.counters.late += 1;
    this.#outbox.late(batch, index, lateByMs);
  }

  #add(key: string, startMs: number, endMs: number): void {
    const window = this.#state.windows.open(startMs, endMs);
    let row = window.rows.get(key);
    if (row === undefined) {
      row = this.#emptyRow.slice();
      window.rows.set(key, row);
    }
    const { aggregates } = this.#definition;
    for (let i = 0, at = FIRST_SLOT; i < aggregates.length; i++) {
      const { aggregate } = aggregates[i]!;
      aggregate.add(row, at, this.#selected[i]!);
      at += aggregate.slots;
    }
    // A window that has fired and still takes events emits each update at once.
    if (window.fired) this.#emit(window, key, row);
  }

  #advance(watermarkMs: number): void {
    if (watermarkMs <= this.#state.watermarkMs) return;
    this.#state.watermarkMs = watermarkMs;
    this.#state.seen?.expire(watermarkMs);
  }

  #emit({ startMs, endMs }: OpenWindow, key: string, row: Row): void {
    const window = { start: startMs, end: endMs };
    row[REVISION]! += 1;
    try {
      const value = this.#resultOf(row);
      this.#outbox.result({ key, window, value, revision: row[REVISION]! }, this.#keyOf(key).bytes);
      this.#state.counters.results += 1;
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.#outbox.deadPane({ key, window, row }, error.message);
    }
  }

  #resultOf(row: Row): Record<string, number> {
    const value: Record<string, number> = {};
    let at = FIRST_SLOT;
    for (const { name, aggregate } of this.#definition.aggregates) {
      const result = rejectionOf(
        "user-code-failed",
        () => aggregate.result(row, at),
        `aggregate ${name} threw`,
      );
      if (!Number.isFinite(result)) {
        throw new Rejection("user-code-failed", `aggregate ${name}: the result is not a finite number`);
      }
      value[name] = result;
      at += aggregate.slots;
    }
    return value;
  }
}

function emptyRow({ aggregates }: PipelineDefinition): number[] {
  const row: number[] = [0];
  let at = FIRST_SLOT;
  for (const { aggregate } of aggregates) {
    aggregate.create(row, at);
    at += aggregate.slots;
  }
  return row;
}
