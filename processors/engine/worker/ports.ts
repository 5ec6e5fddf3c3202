/** What the worker needs of the world besides the log and the store. processor.ts brings it; the simulator its own. */
import type { CheckpointProblem } from "../checkpoint/errors.ts";
import type { Enrichment } from "../pipeline/enrichment.ts";
import type { Counters } from "../state/task-state.ts";
import type { AppliedSlice } from "./work-record.ts";

export interface Clock {
  /** Never goes back, so that no checkpoint waits for a wall clock that was set back; from any origin. */
  nowMs(): number;
  /** Milliseconds since the epoch, on the clock that the broker's arrival times are on too. */
  epochMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Lets pending I/O and timers run, then resolves. */
  yield(): Promise<void>;
}

/** Calls a service; the pipeline's own call does, unless a simulation has another. */
export type AskService = (
  enrichment: Enrichment,
  questions: readonly string[],
  call: { readonly signal: AbortSignal },
) => Promise<readonly unknown[]>;

/** Makes text that was never made before: part of every blob's name. */
export type NewId = () => string;

export interface TaskName {
  readonly pipeline: string;
  readonly partition: number;
}

export interface Recovery extends TaskName {
  readonly step: "genesis" | "load" | "roll-forward";
  readonly checkpoint: number;
  readonly offsets: readonly number[];
  readonly recoveryMs: number;
}

export interface Checkpointed extends TaskName {
  readonly checkpoint: number;
  /** Counters' growth since the checkpoint before. */
  readonly counters: Readonly<Counters>;
  readonly outputs: number;
  readonly snapshotBytes: number;
  /** Rows, keyed states, timers, held events and rows of tables that the task holds. */
  readonly stateEntries: number;
  /** What share of its limits of these, and of ids, it has used, of the one that is nearer: at 1 it refuses events. */
  readonly stateLimitShare: number;
  /** From the cut to the committed transaction. */
  readonly checkpointMs: number;
  /** What it commits, with its times of arrival. */
  readonly applied: readonly AppliedSlice[];
}

/** The span of a checkpoint, from its cut on. */
export interface CheckpointSpan {
  /** Goes with what the checkpoint writes. */
  readonly traceparent: string;
  /** Ends it. One whose checkpoint never commits never ends. */
  committed(checkpointed: Checkpointed): void;
}

/** Begins a span that tells of these traces, which are recorded; at most a few, at least one. */
export type TraceCheckpoint = (task: TaskName, traceparents: readonly string[]) => CheckpointSpan | undefined;

/** How a task that runs is at the moment. */
export interface TaskVitals extends TaskName {
  /** Another one where the task is run anew: what follows counts from 0 then. */
  readonly run: object;
  /** Time spent on records and firings, since the run began. */
  readonly busyMs: number;
  /** Records applied since the run began. */
  readonly records: number;
  /** Records fetched or to be fetched that it has not applied. */
  readonly backlogRecords: number;
  /** When the record arrived that it applied last; null where it has applied none. */
  readonly lastArrivalMs: number | null;
  /** Minus infinity before the first event. */
  readonly watermarkMs: number;
  /** How long the oldest of what it has not committed has been waiting for it. */
  readonly uncommittedMs: number;
}

/** Called as things happen; telemetry hangs here. No call carries a payload. */
export interface Observer {
  recovered(recovery: Recovery): void;
  checkpointed(checkpointed: Checkpointed): void;
  parked(task: TaskName, code: CheckpointProblem, message: string): void;
  /** Another owner took over, or the group moved on; it is recovered where it is assigned now. */
  dropped(task: TaskName, reason: string): void;
  /** An attempt failed and is made again. */
  retried(task: TaskName, action: string, error: Error): void;
  /** A bug: the engine's own code threw. The process should exit, so that a fresh one recovers. */
  failed(task: TaskName, error: Error): void;
}
