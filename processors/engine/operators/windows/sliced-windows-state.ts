/**
 * The slices of hopping windows that a task holds, and beside them the windows that have rows of their own: those that
 * fire, those that have fired and still take events, and those of a state from before there were slices.
 */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type { SectionSchema } from "../../state/section.ts";
import type { HoppingWindow } from "../../windows/window.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { type OpenWindow, OpenWindows } from "./open-windows.ts";
import { SlicedWindows } from "./sliced-windows.ts";
import { endAfter, lastEnd, sliceStart } from "./slices.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class SlicedWindowsState implements OperatorState {
  readonly #definition: WindowsDefinition<HoppingWindow>;
  readonly slices: OpenWindows;
  readonly windows: OpenWindows;
  /** Every window that ends here or earlier has fired, or had nothing to fire. */
  #firedToMs = Number.NEGATIVE_INFINITY;
  /** The watermark at which something is due next: a window, or the end of one's lateness. */
  dueMs = Number.POSITIVE_INFINITY;

  constructor(definition: WindowsDefinition<HoppingWindow>) {
    this.#definition = definition;
    this.slices = new OpenWindows(definition.rows);
    this.windows = new OpenWindows(definition.rows);
  }

  get entries(): number {
    return this.slices.entries + this.windows.entries;
  }

  open(context: OperatorContext): Operator {
    return new SlicedWindows(this.#definition, this, context);
  }

  /** The slice that holds `timeMs`, for windows that end after the watermark; made where it is not there yet. */
  sliceAt(timeMs: number, watermarkMs: number): OpenWindow {
    const { window } = this.#definition;
    if (watermarkMs > this.#firedToMs) this.#firedToMs = watermarkMs;
    const startMs = sliceStart(window, timeMs);
    const slice = this.slices.get(startMs);
    if (slice !== undefined) return slice;
    this.dueMs = Math.min(this.dueMs, endAfter(window, startMs, this.#firedToMs));
    return this.slices.open(startMs, lastEnd(window, startMs));
  }

  /** The window with rows of its own that starts at `startMs`, made where there is none. */
  windowAt(startMs: number): OpenWindow {
    const window = this.windows.get(startMs);
    if (window !== undefined) return window;
    const endMs = startMs + this.#definition.window.sizeMs;
    this.dueMs = Math.min(this.dueMs, endMs);
    return this.windows.open(startMs, endMs);
  }

  /** The window that fires next, where the watermark has reached its end. It has, or gets, rows of its own. */
  nextToFire(watermarkMs: number): OpenWindow | undefined {
    const { sizeMs } = this.#definition.window;
    let endMs = Number.POSITIVE_INFINITY;
    for (const window of this.windows.values()) if (!window.fired) endMs = Math.min(endMs, window.endMs);
    endMs = Math.min(endMs, this.#nextEnd());
    if (endMs > watermarkMs) return undefined;
    const startMs = endMs - sizeMs;
    const window = this.windows.get(startMs);
    if (window !== undefined) return window;
    const made = this.windows.open(startMs, endMs);
    made.combining = true;
    return made;
  }

  /** The slices of a window, in the order of time. */
  slicesOf({ startMs, endMs }: OpenWindow): OpenWindow[] {
    return [...this.slices.values()]
      .filter((slice) => slice.startMs >= startMs && slice.startMs < endMs)
      .sort((a, b) => a.startMs - b.startMs);
  }

  markFired(window: OpenWindow): void {
    this.windows.markFired(window);
    this.#firedToMs = Math.max(this.#firedToMs, window.endMs);
    if (this.#definition.allowedLatenessMs === 0) this.windows.remove(window);
  }

  /** Drops what no event can change and nothing needs any more, and finds what is due next. */
  settle(watermarkMs: number): void {
    for (const slice of this.slices.values()) {
      if (slice.endMs <= this.#firedToMs) this.slices.remove(slice);
    }
    const dueMs = this.windows.settle(watermarkMs, this.#definition.allowedLatenessMs);
    this.dueMs = Math.min(dueMs, this.#nextEnd());
  }

  writeBase(writer: ByteWriter): void {
    writer.float64(this.#firedToMs);
    this.slices.writeBase(writer);
    this.windows.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.float64(this.#firedToMs);
    this.slices.writeDelta(writer);
    this.windows.writeDelta(writer);
  }

  /** State from before there were slices has only windows, whole ones, and says nothing of those that are no more. */
  readBase(reader: ByteReader, written: SectionSchema): void {
    const firedToMs = reader.float64();
    if (written.kind === "sliced-windows") {
      this.#firedToMs = firedToMs;
      this.slices.readBase(reader, written);
    }
    this.windows.readBase(reader, written);
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    const firedToMs = reader.float64();
    if (written.kind === "sliced-windows") {
      this.#firedToMs = firedToMs;
      this.slices.readDelta(reader, written);
    }
    this.windows.readDelta(reader, written);
  }

  restored(): void {
    this.slices.restored();
    this.windows.restored();
    this.settle(Number.NEGATIVE_INFINITY);
  }

  /** End of the first window that slices are part of and that has not fired. */
  #nextEnd(): number {
    const { window } = this.#definition;
    let endMs = Number.POSITIVE_INFINITY;
    for (const slice of this.slices.values()) {
      const nextMs = endAfter(window, slice.startMs, this.#firedToMs);
      if (nextMs <= slice.endMs) endMs = Math.min(endMs, nextMs);
    }
    return endMs;
  }
}
