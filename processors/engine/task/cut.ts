/** What a task hands over for a checkpoint. */
import type { OutputRecord } from "../log/port.ts";
import type { Counters } from "../state/task-state.ts";
import type { Answered } from "./enquiry.ts";

/** The clock moved an input's watermark: an input of the task like a record, kept so that it can be repeated. */
export interface Tick {
  readonly input: number;
  /** The next offset to read of every input when it came. */
  readonly offsets: readonly number[];
  readonly nowMs: number;
}

/** A consistent cut through a task: its state, whole or as changes, and everything it wrote since the cut before. */
export interface Cut {
  readonly number: number;
  readonly kind: "base" | "delta";
  readonly snapshot: Uint8Array;
  readonly outputs: readonly OutputRecord[];
  /** The ticks since the cut before. */
  readonly ticks: readonly Tick[];
  /** What services answered about the records applied since the cut before. */
  readonly answered: readonly Answered[];
  /** The next offset to read, for each input. */
  readonly offsets: readonly number[];
  readonly watermarkMs: number;
  readonly counters: Readonly<Counters>;
  /** Whether a firing goes on after the cut. */
  readonly firing: boolean;
}
