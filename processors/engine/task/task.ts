/**
 * The task: a deterministic state machine over one partition (design, section 4, rules 1, 2, 3, 10 and 13). It has
 * no clock, no I/O and no randomness: the same records and ticks in the same order give the same state and outputs,
 * however they were cut into batches.
 */
import type { OutputRecord, RecordBatch } from "../log/port.ts";
import { COUNTED, type Operator } from "../operators/operator.ts";
import type { InputDefinition, PipelineDefinition } from "../pipeline/definition.ts";
import { IGNORED } from "../pipeline/source.ts";
import type { InputState } from "../state/input-state.ts";
import { encodeBase, encodeDelta } from "../state/snapshot.ts";
import type { TableRows } from "../state/table-rows.ts";
import type { Counters, TaskState } from "../state/task-state.ts";
import type { Cut, Tick } from "./cut.ts";
import { type Answered, type Enquiries, type Enquiry, enquiryInto, NO_ENQUIRIES } from "./enquiry.ts";
import { EventClock } from "./event-clock.ts";
import { eventTimeOf } from "./event-time.ts";
import { identityOf } from "./identity.ts";
import { KeyCache } from "./key-cache.ts";
import { Outbox } from "./outbox.ts";
import { Rejection, rejectionOf } from "./rejection.ts";
import { Staging } from "./staging.ts";
import { StateLimit } from "./state-limit.ts";
import { applyTableRecord } from "./table-record.ts";
import { clockWatermark } from "./watermarks.ts";

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
  readonly #clock: EventClock;
  /** Those that pass the watermark on. */
  readonly #followers: readonly Operator[];
  readonly #staging: Staging;
  #ticks: Tick[] = [];
  #answered: Answered[] = [];
  #blocked = false;

  constructor({ definition, partition, partitions, generation, nextCheckpoint, state }: TaskOptions) {
    this.#definition = definition;
    this.#state = state;
    this.#outbox = new Outbox(definition.name, generation, nextCheckpoint, state.counters);
    this.#keys = new KeyCache(definition.forwards === null ? { partition, partitions } : null);
    this.#clock = new EventClock(state);
    this.#limit = new StateLimit(state, definition);
    const tables = new Map(
      state.inputs.flatMap(({ table }, input) =>
        table === null ? [] : [[definition.inputs[input]!.topic, table]],
      ),
    );
    const context = { partition, partitions, tables, outbox: this.#outbox, keys: this.#keys };
    this.#operators = state.operators.map((operator) => operator.open(context));
    this.#followers = this.#operators.filter(({ progressed }) => progressed !== undefined);
    this.#staging = new Staging({ operators: this.#operators, keys: this.#keys, limit: this.#limit });
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

  /** Whether {@link apply} stopped last at a record that waits for an answer. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /**
   * Applies records of the batch from index `from`, in bounded steps: a record and a fired row are a step each.
   * Stops early when the steps are used up, a firing could not be ended or a record waits for an answer. Records below
   * the expected offset are skipped. Must not be called while {@link firing}.
   * @param enquiries what was answered about records of an input that asks a service
   * @returns the index of the first record not applied
   */
  apply(batch: RecordBatch, from: number, maxSteps: number, enquiries: Enquiries = NO_ENQUIRIES): number {
    const input = this.#inputOf(batch);
    const state = this.#state.inputs[input]!;
    let left = maxSteps;
    let index = from;
    this.#blocked = false;
    while (index < batch.count && left > 0 && !this.firing) {
      const offset = batch.offset(index);
      if (offset >= state.offset) {
        if (!this.#applyRecord(batch, index, input, enquiries)) break;
        state.offset = offset + 1;
        if (this.firing) left -= this.fire(left);
      }
      index += 1;
      left -= 1;
    }
    return index;
  }

  /**
   * What is to be asked about a record that waits, of an input that asks a service. Changes nothing.
   * @param needed whether it is asked about though it seems to be late by age, or a duplicate
   * @returns null where nothing is
   */
  enquire(batch: RecordBatch, index: number, needed: boolean): Enquiry | null {
    const input = this.#inputOf(batch);
    const definition = this.#definition.inputs[input]!;
    const value = batch.value(index);
    if (value === null) return null;
    try {
      const enquiry = enquiryInto(definition, value);
      if (enquiry === null || needed) return enquiry;
      const timeMs = eventTimeOf(definition, enquiry.event, batch.arrivalMs(index));
      return this.#isWanted(input, enquiry.event, timeMs) ? enquiry : null;
    } catch (error) {
      if (error instanceof Rejection) return null;
      throw error;
    }
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
    this.#clock.ticked(input, watermarkMs);
    this.#passOn(null);
    return true;
  }

  /**
   * Reading begins, maybe after a while: an input that was idle may have had records since, and holds the others back
   * until the clock finds it silent again. The watermark stays where it is.
   */
  wake(): void {
    if (this.#clock.hasOneStream) return;
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
    const answered = this.#answered;
    this.#ticks = [];
    this.#answered = [];
    return {
      number,
      kind,
      snapshot,
      outputs: this.#outbox.take(),
      ticks,
      answered,
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

  /** Whether it was applied; it was not where it waits for an answer, and nothing has changed. */
  #applyRecord(batch: RecordBatch, index: number, input: number, enquiries: Enquiries): boolean {
    try {
      const { table } = this.#state.inputs[input]!;
      const value = batch.value(index);
      if (table !== null) this.#applyTableRecord(batch, index, input, table);
      else if (value === null) this.#clock.readWatermark(batch, index, input);
      else if (!this.#applyEvent(batch, index, value, input, enquiries)) return false;
      this.#passOn(value === null ? null : batch.arrivalMs(index));
    } catch (error) {
      this.#staging.discard();
      if (!(error instanceof Rejection)) throw error;
      this.#state.counters.dead += 1;
      this.#outbox.deadRecord(batch, index, error.reason, error.message);
    }
    return true;
  }

  #applyTableRecord(batch: RecordBatch, index: number, input: number, table: TableRows): void {
    const { counters } = this.#state;
    const definition = this.#definition.inputs[input]!;
    const place = { table, keys: this.#keys, limit: this.#limit };
    if (applyTableRecord(batch, index, definition, place)) counters.counted += 1;
    else counters.ignored += 1;
  }

  #passOn(arrivalMs: number | null): void {
    if (this.#followers.length === 0) return;
    const { watermarkMs } = this.#state;
    const { idle } = this.#clock;
    for (const follower of this.#followers) follower.progressed!(watermarkMs, idle, arrivalMs);
  }

  /**
   * Order of judgement: dead, older than the horizon, duplicate, no room, late, counted. An event that there is no room
   * for says what time it is like any other: else a full state would stay full. What a service is needed for comes
   * after age and duplicates: those are not asked about.
   * @returns false where it waits for an answer
   */
  #applyEvent(
    batch: RecordBatch,
    index: number,
    value: Uint8Array,
    input: number,
    enquiries: Enquiries,
  ): boolean {
    const definition = this.#definition.inputs[input]!;
    const { seen, fromMs } = this.#state.inputs[input]!;
    const { counters, watermarkMs } = this.#state;
    let enquiry = definition.enrich === null ? undefined : enquiries.of(input, batch.offset(index));
    const event = enquiry?.event ?? rejectionOf("undecodable", () => definition.source.decode(value));
    if (event === IGNORED) {
      counters.ignored += 1;
      return true;
    }
    const arrivalMs = batch.arrivalMs(index);
    const timeMs = eventTimeOf(definition, event, arrivalMs);
    if (timeMs < fromMs) {
      counters.ignored += 1;
      this.#clock.sawRecord(input, timeMs - definition.outOfOrderMs, arrivalMs);
      return true;
    }
    let elements = 0;
    if (definition.enrich === null || this.#isWanted(input, event, timeMs)) {
      if (definition.enrich !== null) {
        enquiry ??= enquiryInto(definition, value)!;
        if (!this.#hasAnswers(input, batch.offset(index), enquiry)) return false;
      }
      elements = this.#staging.stage(definition, event, timeMs, watermarkMs, input, enquiry);
    }
    const knownFromMs = this.#state.inputs[input]!.knownFromMs(watermarkMs);
    if (timeMs < knownFromMs) {
      this.#staging.discard();
      this.#late(batch, index, knownFromMs - timeMs);
    } else if (seen !== null && !this.#firstSighting(definition, seen, event, timeMs)) {
      this.#staging.discard();
      counters.duplicate += 1;
    } else if (elements === 0) {
      counters.ignored += 1;
    } else if (this.#limit.refusal !== undefined) {
      const { reason, message } = this.#limit.refusal;
      this.#staging.discard();
      counters.dead += 1;
      this.#outbox.deadRecord(batch, index, reason, message);
    } else {
      this.#commit(batch, index);
    }
    this.#clock.sawRecord(input, timeMs - definition.outOfOrderMs, arrivalMs);
    return true;
  }

  /** Whether the event may count: it is not older than what is remembered, and was not seen. */
  #isWanted(input: number, event: unknown, timeMs: number): boolean {
    const state = this.#state.inputs[input]!;
    if (timeMs < state.knownFromMs(this.#state.watermarkMs)) return false;
    return !state.seen?.has(identityOf(this.#definition.inputs[input]!.source, event));
  }

  /** Whether every answer about a record is there; then they become part of what the next checkpoint keeps. */
  #hasAnswers(input: number, offset: number, { complete, answers }: Enquiry): boolean {
    this.#blocked = !complete;
    if (!complete) return false;
    if (answers.some((answer) => answer !== null)) this.#answered.push({ input, offset, answers });
    return true;
  }

  #commit(batch: RecordBatch, index: number): void {
    const lateByMs = this.#staging.commit(this.#state.watermarkMs);
    const { counters } = this.#state;
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
    if (this.#limit.hasRoomForId()) seen.add(identity, timeMs, this.#staging.lastHash);
    return true;
  }

  #late(batch: RecordBatch, index: number, lateByMs: number): void {
    this.#state.counters.late += 1;
    this.#outbox.late(batch, index, lateByMs);
  }
}
