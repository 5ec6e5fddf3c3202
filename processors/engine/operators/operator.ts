/**
 * What a task runs on each event: an operator groups, remembers and emits. A task may have several (branches); each
 * has its own part of the state and its own output.
 */

import type { SectionSchema, StateSection } from "../state/section.ts";
import type { TableRows } from "../state/table-rows.ts";
import type { KeyCache } from "../task/key-cache.ts";
import type { Outbox } from "../task/outbox.ts";

/** The state calls an operator's section by its output. */
export type OperatorSchema = Omit<SectionSchema, "name">;

export interface OperatorDefinition {
  /** What its results are called: the pipeline's name, or `<pipeline>.<branch>`. */
  readonly series: string;
  /** What its state depends on. */
  readonly schema: OperatorSchema;
  /** How long after an event's time the event may still change something, by event time. */
  readonly horizonMs: number;
  /**
   * How long after the watermark has closed what an element belongs to the element still counts, by event time. Positive
   * infinity: nothing is late for it. Null: it waits for nobody behind the watermark, where an element may find that what
   * it belongs to is over.
   */
  readonly latenessMs: number | null;
  /**
   * Only where each window is emitted by the watermark that reaches its end, in the order of their ends: how long after
   * a window's start the end of a later result proves that it never changes again (contracts/served-series.ts).
   */
  readonly closedAfterMs?: number | undefined;
  /** An empty state. */
  newState(): OperatorState;
}

/** An operator's part of the state; opened, it is the operator at work. */
export interface OperatorState extends StateSection {
  /** How much it holds: rows of windows, states of keys, events held back. A task's sum of them is limited. */
  readonly entries: number;
  open(context: OperatorContext): Operator;
}

export interface OperatorContext {
  /** The task's partition, and how many its inputs have. */
  readonly partition: number;
  readonly partitions: number;
  /** By topic. */
  readonly tables: ReadonlyMap<string, TableRows>;
  readonly outbox: Outbox;
  readonly keys: KeyCache;
}

/** What {@link Operator.commit} returns for an event that counted. */
export const COUNTED = -1;

export interface Operator {
  /**
   * Takes an element of the record that is being applied: runs the user code it needs, and keeps what that yields
   * until {@link commit} or {@link discard}. It changes no state, so that a record whose code throws half-way
   * leaves no trace.
   * @param input index of the input that it came from
   * @throws Rejection where the element cannot be taken
   */
  stage(element: unknown, key: string, timeMs: number, watermarkMs: number, input: number): void;
  /**
   * Makes what was staged part of the state, and emits what that calls for. Never throws.
   * @returns {@link COUNTED}, or by how many milliseconds every element was too late; positive infinity where
   * nothing was staged
   */
  commit(watermarkMs: number): number;
  /** Forgets what was staged. */
  discard(): void;
  /**
   * Only of operators that pass the watermark on: called after every record and tick.
   * @param idle whether the task's inputs are all silent
   * @param arrivalMs when the event's record arrived; null after a tick or a watermark record
   */
  progressed?(watermarkMs: number, idle: boolean, arrivalMs: number | null): void;
  /**
   * Whether an element of this key and time, which it has staged, can be kept only as a further entry. Asked when the
   * state is full.
   */
  needsRow(key: string, timeMs: number): boolean;
  /** The watermark at which there is something to do next; positive infinity: nothing. */
  readonly dueMs: number;
  /** Does what the watermark makes due, at most `maxSteps` steps of it; returns how many it did. */
  fire(watermarkMs: number, maxSteps: number): number;
}
