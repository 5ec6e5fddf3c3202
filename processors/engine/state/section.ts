/** A part of a task's state that writes and reads itself: everything at once, or only what changed. */
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** What wrote a section's bytes: enough to tell whether, and how, a definition of today can read them. */
export interface SectionSchema {
  /**
   * What an operator's output is called after the pipeline, `.<branch>`, or `.` where there is but one; or the topic of
   * an input. Unique among these, and among those.
   */
  readonly name: string;
  readonly kind: string;
  /** Whatever the state's meaning depends on, by name; anything else here is another state. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Name and kind of each aggregate, in the order of the row; empty where there are none. */
  readonly aggregates: readonly { readonly name: string; readonly kind: string }[];
}

export interface StateSection {
  /** Writes everything. What was changed until now is no part of the next delta. */
  writeBase(writer: ByteWriter): void;
  /** Writes what was changed since the last write, base or delta; after the same reads it gives the same state. */
  writeDelta(writer: ByteWriter): void;
  /** Reads a base into this section, which is empty. */
  readBase(reader: ByteReader, written: SectionSchema): void;
  /** Reads a delta on top of what was read before. */
  readDelta(reader: ByteReader, written: SectionSchema): void;
  /** The last read is over: time to rebuild what is derived and not written. */
  restored(): void;
}
