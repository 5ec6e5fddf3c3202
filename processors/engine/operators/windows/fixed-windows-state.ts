/** The windows of fixed size that a task holds, each with its own rows. */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type { SectionSchema } from "../../state/section.ts";
import { nextMultiple } from "../../windows/emission.ts";
import type { FixedWindow } from "../../windows/window.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { FixedWindows } from "./fixed-windows.ts";
import { type OpenWindow, OpenWindows } from "./open-windows.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

/** Nothing is due before the first event has said what time it is. */
const NOT_SET = -Number.MAX_VALUE;

export class FixedWindowsState implements OperatorState {
  readonly #definition: WindowsDefinition<FixedWindow>;
  readonly windows: OpenWindows;
  /** The watermark at which something is due next: an emission, or the end of a window's lateness. */
  dueMs = Number.POSITIVE_INFINITY;
  /** The watermark at which open windows that changed are emitted next; positive infinity: not before they close. */
  nextEarlyMs = Number.POSITIVE_INFINITY;

  constructor(definition: WindowsDefinition<FixedWindow>) {
    this.#definition = definition;
    this.windows = new OpenWindows(definition.rows);
  }

  get entries(): number {
    return this.windows.entries;
  }

  open(context: OperatorContext): Operator {
    return new FixedWindows(this.#definition, this, context);
  }

  /** The window that starts at `startMs`, made where it is not open yet. */
  at(startMs: number, endMs: number): OpenWindow {
    return this.windows.get(startMs) ?? this.#open(startMs, endMs);
  }

  #open(startMs: number, endMs: number): OpenWindow {
    if (endMs < this.dueMs) this.dueMs = endMs;
    if (this.#definition.emission.emit.kind === "every") this.dueMs = Math.min(this.dueMs, this.nextEarlyMs);
    return this.windows.open(startMs, endMs);
  }

  /** Notes that something changed that is to be emitted the next time that open windows are. */
  emitEarly(everyMs: number, watermarkMs: number): void {
    if (this.nextEarlyMs < Number.POSITIVE_INFINITY) return;
    this.nextEarlyMs = Math.max(NOT_SET, nextMultiple(everyMs, watermarkMs));
    this.dueMs = Math.min(this.dueMs, this.nextEarlyMs);
  }

  /** Whether open windows are emitted at this watermark. */
  isEarlyDue(everyMs: number, watermarkMs: number): boolean {
    if (this.nextEarlyMs === NOT_SET) this.nextEarlyMs = nextMultiple(everyMs, watermarkMs);
    return this.nextEarlyMs <= watermarkMs;
  }

  writeBase(writer: ByteWriter): void {
    writer.float64(this.nextEarlyMs);
    this.windows.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.float64(this.nextEarlyMs);
    this.windows.writeDelta(writer);
  }

  readBase(reader: ByteReader, written: SectionSchema): void {
    this.nextEarlyMs = reader.float64();
    this.windows.readBase(reader, written);
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    this.nextEarlyMs = reader.float64();
    this.windows.readDelta(reader, written);
  }

  restored(): void {
    this.windows.restored();
    this.settle(Number.NEGATIVE_INFINITY);
  }

  /** Drops fired windows whose lateness is over, and finds what is due next. */
  settle(watermarkMs: number): void {
    const dueMs = this.windows.settle(watermarkMs, this.#definition.allowedLatenessMs);
    this.dueMs = Math.min(this.nextEarlyMs, dueMs);
  }
}
