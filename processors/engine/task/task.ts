/**
 * The task: a deterministic state machine over one partition (design, section 4, rules 1, 2, 3, 10 and 13). It has
 * no clock, no I/O and no randomness: the same records and ticks in the same order give the same state and outputs,
 * however they were cut into batches.
 */
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import type { OutputRecord, RecordBatch } from "../log/port.ts";
import { COUNTED, type Operator } from "../operators/operator.ts";
import type { InputDefinition, PipelineDefinition } from "../pipeline/definition.ts";
import { IGNORED } from "../pipeline/source.ts";
import type { InputState } from "../state/input-state.ts";
import { encodeBase, encodeDelta } from "../state/snapshot.ts";
import type { TableRows } from "../state/table-rows.ts";
import type { Counters, TaskState } from "../state/task-state.ts";
import type { UpstreamWatermarks } from "../state/upstream-watermarks.ts";
import { type Announcement, announcementIn } from "./announcement.ts";
import type { Cut, Tick } from "./cut.ts";
import { eventTimeOf } from "./event-time.ts";
import { identityOf } from "./identity.ts";
import { KeyCache } from "./key-cache.ts";
import { Outbox } from "./outbox.ts";
import { Rejection, rejectionOf } from "./rejection.ts";
import { StateLimit } from "./state-limit.ts";
import { applyTableRecord } from "./table-record.ts";
import { clockWatermark, combinedWatermark } from "./watermarks.ts";

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

export class Task {
  readonly #definition: PipelineDefinition;
  readonly #state: TaskState;
  readonly #outbox: Outbox;
  readonly #keys: KeyCache;
  readonly #operators: readonly Operator[];
  readonly #limit: StateLimit;
  /** The inputs that have a time: all but tables. */
  readonly #streams: readonly InputState[];
  /** Those that pass the watermark on. */
  readonly #followers: readonly Operator[];
  #ticks: Tick[] = [];

  constructor({ definition, partition, partitions, generation, nextCheckpoint, state }: TaskOptions) {
    this.#definition = definition;
    this.#state = state;
    this.#outbox = new Outbox(definition.name, generation, nextCheckpoint, state.counters);
    this.#keys = new KeyCache(definition.forwards === null ? { partition, partitions } : null);
    this.#streams = state.inputs.filter(({ table }) => table === null);
    this.#limit = new StateLimit(state, definition);
    const tables = new Map(
      state.inputs.flatMap(({ table }, input) =>
        table === null ? [] : [[definition.inputs[input]!.topic, table]],
      ),
    );
    const context = { partition, partitions, tables, outbox: this.#outbox, keys: this.#keys };
    this.#operators = state.operators.map((operator) => operator.open(context));
    this.#followers = this.#operators.filter(({ progressed }) => progressed !== undefined);
  }

  get watermarkMs(): number {
    return this.#state.watermarkMs;
  }

  get counters(): Readonly<Counters> {
    return this.#state.counters;
  }

  /** The next offset to read, for each input. */
  get offsets(): readonly number[] {
    return this.#state.inputs.map(({ offset }) => offset);
  }

  /** Reading an input goes on at this offset: what lies before it and was not applied holds no record of anyone's. */
  stepTo(input: number, offset: number): void {
    const state = this.#state.inputs[input]!;
    if (offset > state.offset) state.offset = offset;
  }

  /** How far an input has come: the latest event time seen of it, null of a table; and whether it is idle. */
  progressOf(input: number): { readonly eventTimeMs: number | null; readonly idle: boolean } {
    const { table, watermarkMs, idle } = this.#state.inputs[input]!;
    const { outOfOrderMs } = this.#definition.inputs[input]!;
    return { eventTimeMs: table === null ? watermarkMs + outOfOrderMs : null, idle };
  }

  /** The outputs that wait for the next checkpoint. */
  get pendingOutputs(): readonly OutputRecord[] {
    return this.#outbox.records;
  }

  /** How much it holds, and what share that is of its limits. */
  get limit(): Pick<StateLimit, "entries" | "share"> {
    return this.#limit;
  }

  /** Size of the outputs that wait for the next checkpoint. */
  get pendingOutputBytes(): number {
    return this.#outbox.bytes;
  }

  /** Whether something is due or was interrupted: {@link fire} must end it before records are applied. */
  get firing(): boolean {
    const { watermarkMs } = this.#state;
    for (const operator of this.#operators) {
      if (operator.dueMs <= watermarkMs) return true;
    }
    return false;
  }

  /**
   * Applies records of the batch from index `from`, in bounded steps: a record and a fired row are a step each.
   * Stops early when the steps are used up or a firing could not be ended. Records below the expected offset are
   * skipped. Must not be called while {@link firing}.
   * @returns the index of the first record not applied
   */
  apply(batch: RecordBatch, from: number, maxSteps: number): number {
    const input = this.#inputOf(batch);
    const state = this.#state.inputs[input]!;
    let left = maxSteps;
    let index = from;
    while (index < batch.count && left > 0 && !this.firing) {
      const offset = batch.offset(index);
      if (offset >= state.offset) {
        this.#applyRecord(batch, index, input);
        state.offset = offset + 1;
        if (this.firing) left -= this.fire(left);
      }
      index += 1;
      left -= 1;
    }
    return index;
  }

  /**
   * Whether a tick now would matter: it is the first since the input's last record, so that the input holds nobody
   * back any more, or the clock has reached what is due next. Every tick is kept, so only those are made. What is due
   * downstream is not known here: the watermark is passed on once for each idle timeout.
   */
  tickMatters(input: number, nowMs: number): boolean {
    const state = this.#state.inputs[input]!;
    if (!state.idle) return true;
    const reachedMs = clockWatermark(state, nowMs);
    if (this.#followers.length > 0) {
      return reachedMs >= state.watermarkMs + (this.#definition.inputs[input]!.idleTimeoutMs ?? 0);
    }
    const dueMs = Math.min(...this.#operators.map((operator) => operator.dueMs));
    return state.watermarkMs < dueMs && dueMs <= reachedMs;
  }

  /**
   * The clock moves the watermark of an input that has had no record for a while: by as much as has passed since the
   * last one arrived (rule 3). An input that never had one only stops holding the others back.
   * @returns whether it changed anything
   */
  tick(input: number, nowMs: number): boolean {
    const state = this.#state.inputs[input]!;
    const watermarkMs = clockWatermark(state, nowMs);
    if (state.idle && watermarkMs <= state.watermarkMs) return false;
    this.#ticks.push({ input, offsets: this.offsets, nowMs });
    state.idle = true;
    state.watermarkMs = Math.max(state.watermarkMs, watermarkMs);
    this.#advance();
    this.#passOn(null);
    return true;
  }

  /**
   * Reading begins, maybe after a while: an input that was idle may have had records since, and holds the others back
   * until the clock finds it silent again. The watermark stays where it is.
   */
  wake(): void {
    if (this.#streams.length === 1) return;
    for (const [index, state] of this.#state.inputs.entries()) {
      if (this.#definition.inputs[index]!.idleTimeoutMs !== null) state.idle = false;
    }
  }

  /** Does what the watermark makes due, at most `maxSteps` steps of it; returns how many it did. */
  fire(maxSteps: number): number {
    const { watermarkMs } = this.#state;
    let steps = 0;
    for (const operator of this.#operators) {
      while (operator.dueMs <= watermarkMs && steps < maxSteps) {
        steps += Math.max(1, operator.fire(watermarkMs, maxSteps - steps));
      }
    }
    return steps;
  }

  /**
   * Takes a consistent cut: of the whole state, or of what changed since the cut before. The task may go on at once:
   * the cut shares nothing with it.
   */
  cut(kind: "base" | "delta" = "base"): Cut {
    const { watermarkMs, counters } = this.#state;
    const number = this.#outbox.checkpoint;
    const encode = kind === "base" ? encodeBase : encodeDelta;
    const snapshot = encode(this.#definition, this.#state);
    const ticks = this.#ticks;
    this.#ticks = [];
    return {
      number,
      kind,
      snapshot,
      outputs: this.#outbox.take(),
      ticks,
      offsets: this.offsets,
      watermarkMs,
      counters: { ...counters },
      firing: this.firing,
    };
  }

  #inputOf({ topic }: RecordBatch): number {
    const { inputs } = this.#definition;
    return inputs.length === 1 ? 0 : inputs.findIndex((input) => input.topic === topic);
  }

  #applyRecord(batch: RecordBatch, index: number, input: number): void {
    try {
      const { table } = this.#state.inputs[input]!;
      const value = batch.value(index);
      if (table !== null) this.#applyTableRecord(batch, index, input, table);
      else if (value === null) this.#applyWatermark(batch, index, input);
      else this.#applyEvent(batch, index, value, input);
      this.#passOn(value === null ? null : batch.arrivalMs(index));
    } catch (error) {
      for (const operator of this.#operators) operator.discard();
      if (!(error instanceof Rejection)) throw error;
      this.#state.counters.dead += 1;
      this.#outbox.deadRecord(batch, index, error.reason, error.message);
    }
  }

  #applyTableRecord(batch: RecordBatch, index: number, input: number, table: TableRows): void {
    const { counters } = this.#state;
    const definition = this.#definition.inputs[input]!;
    const place = { table, keys: this.#keys, limit: this.#limit };
    if (applyTableRecord(batch, index, definition, place)) counters.counted += 1;
    else counters.ignored += 1;
  }

  #applyWatermark(batch: RecordBatch, index: number, input: number): void {
    const header = batch.header(index, WATERMARK_HEADER);
    if (header === undefined || batch.key(index) !== null) {
      throw new Rejection("undecodable", "the record has no value");
    }
    const { upstream } = this.#state.inputs[input]!;
    if (upstream !== null) {
      this.#hear(input, upstream, announcementIn(batch, index));
      return;
    }
    const watermarkMs = Number(header);
    if (!Number.isSafeInteger(watermarkMs)) {
      throw new Rejection("undecodable", `${WATERMARK_HEADER} is not a whole number of milliseconds`);
    }
    this.#sawRecord(input, watermarkMs, batch.arrivalMs(index));
  }

  /** A task of the stage upstream says how far it has come. */
  #hear(input: number, upstream: UpstreamWatermarks, heard: Announcement): void {
    const state = this.#state.inputs[input]!;
    upstream.report(heard.task, heard.tasks, heard);
    state.idle = upstream.idle;
    state.watermarkMs = upstream.watermarkMs;
    this.#advance();
  }

  #passOn(arrivalMs: number | null): void {
    if (this.#followers.length === 0) return;
    const { watermarkMs } = this.#state;
    const idle = this.#streams.every((input) => input.idle);
    for (const follower of this.#followers) follower.progressed!(watermarkMs, idle, arrivalMs);
  }

  /**
   * Order of judgement: dead, older than the horizon, duplicate, no room, late, counted. An event that there is no room
   * for says what time it is like any other: else a full state would stay full.
   */
  #applyEvent(batch: RecordBatch, index: number, value: Uint8Array, input: number): void {
    const definition = this.#definition.inputs[input]!;
    const { seen, fromMs } = this.#state.inputs[input]!;
    const { counters, watermarkMs } = this.#state;
    const event = rejectionOf("undecodable", () => definition.source.decode(value));
    if (event === IGNORED) {
      counters.ignored += 1;
      return;
    }
    const arrivalMs = batch.arrivalMs(index);
    const timeMs = eventTimeOf(definition, event, arrivalMs);
    if (timeMs < fromMs) {
      counters.ignored += 1;
      this.#sawRecord(input, timeMs - definition.outOfOrderMs, arrivalMs);
      return;
    }
    const elements = this.#stage(definition, event, timeMs, input);
    const knownFromMs = this.#state.inputs[input]!.knownFromMs(watermarkMs);
    if (timeMs < knownFromMs) {
      this.#discard();
      this.#late(batch, index, knownFromMs - timeMs);
    } else if (seen !== null && !this.#firstSighting(definition, seen, event, timeMs)) {
      this.#discard();
      counters.duplicate += 1;
    } else if (elements === 0) {
      counters.ignored += 1;
    } else if (this.#limit.refusal !== undefined) {
      const { reason, message } = this.#limit.refusal;
      this.#discard();
      counters.dead += 1;
      this.#outbox.deadRecord(batch, index, reason, message);
    } else {
      this.#commit(batch, index);
    }
    this.#sawRecord(input, timeMs - definition.outOfOrderMs, arrivalMs);
  }

  /** Hands what the event becomes to every operator; returns how many elements that was. */
  #stage({ transform, key }: InputDefinition, event: unknown, timeMs: number, input: number): number {
    this.#limit.begin();
    if (transform === null) {
      this.#stageElement(key, event, timeMs, input);
      return 1;
    }
    const elements = rejectionOf("user-code-failed", () => transform(event), "a step before keyBy threw");
    for (const element of elements) this.#stageElement(key, element, timeMs, input);
    return elements.length;
  }

  #stageElement(keyOf: InputDefinition["key"], element: unknown, timeMs: number, input: number): void {
    const key = rejectionOf("user-code-failed", () => keyOf(element), "the key function threw");
    this.#lastHash = this.#keys.of(key).hash;
    const { watermarkMs } = this.#state;
    for (const operator of this.#operators) operator.stage(element, key, timeMs, watermarkMs, input);
    this.#limit.staged(this.#operators, key, timeMs);
  }

  /** Hash of the key of the element that was staged last: a repartitioning tells by it whose an identity is. */
  #lastHash = 0;

  #discard(): void {
    for (const operator of this.#operators) operator.discard();
  }

  #commit(batch: RecordBatch, index: number): void {
    const { watermarkMs, counters } = this.#state;
    let lateByMs = Number.POSITIVE_INFINITY;
    for (const operator of this.#operators) lateByMs = Math.min(lateByMs, operator.commit(watermarkMs));
    if (lateByMs === COUNTED) counters.counted += 1;
    else if (lateByMs === Number.POSITIVE_INFINITY) counters.ignored += 1;
    else this.#late(batch, index, lateByMs);
  }

  /** Whether nothing of this identity was seen; then it is remembered, where there is room for the event. */
  #firstSighting(
    { source }: InputDefinition,
    seen: NonNullable<InputState["seen"]>,
    event: unknown,
    timeMs: number,
  ): boolean {
    const identity = identityOf(source, event);
    if (seen.has(identity)) return false;
    if (this.#limit.hasRoomForId()) seen.add(identity, timeMs, this.#lastHash);
    return true;
  }

  #late(batch: RecordBatch, index: number, lateByMs: number): void {
    this.#state.counters.late += 1;
    this.#outbox.late(batch, index, lateByMs);
  }

  /** A record says how far event time has come, and that its input is not idle. */
  #sawRecord(input: number, watermarkMs: number, arrivalMs: number): void {
    const state = this.#state.inputs[input]!;
    // What was forwarded says nothing of how far the others upstream have come.
    if (state.upstream !== null) return;
    state.lastArrivalMs = arrivalMs;
    const wasIdle = state.idle;
    state.idle = false;
    if (watermarkMs > state.recordWatermarkMs) state.recordWatermarkMs = watermarkMs;
    if (watermarkMs > state.watermarkMs) state.watermarkMs = watermarkMs;
    else if (!wasIdle) return;
    this.#advance();
  }

  /** The task's watermark never goes back, whatever an input does that wakes up. */
  #advance(): void {
    const watermarkMs = combinedWatermark(this.#streams);
    if (watermarkMs <= this.#state.watermarkMs) return;
    this.#state.watermarkMs = watermarkMs;
    for (const { seen } of this.#state.inputs) seen?.expire(watermarkMs);
  }
}
