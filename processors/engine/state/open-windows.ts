/**
 * The windows a task holds, and their rows. A row is an array of numbers: first how often it was emitted, then
 * the aggregates' slots. Keys fire in the order in which they entered their window; the snapshot keeps it.
 */

/** Index of a row's emission count; the aggregates' slots follow. */
export const REVISION = 0;
export const FIRST_SLOT = 1;

export type Row = number[];

export class OpenWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly rows = new Map<string, Row>();
  /** Whether every row was emitted since the watermark passed the end. */
  fired = false;
  /** Where a firing that was interrupted goes on; derived, so not part of a snapshot. */
  #firing: IterableIterator<[string, Row]> | undefined;

  constructor(startMs: number, endMs: number) {
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** The next row that this firing has not emitted; marks the window as fired when there is none. */
  nextToFire(): [string, Row] | undefined {
    this.#firing ??= this.rows.entries();
    for (let next = this.#firing.next(); !next.done; next = this.#firing.next()) {
      if (next.value[1][REVISION] === 0) return next.value;
    }
    this.fired = true;
    this.#firing = undefined;
    return undefined;
  }
}

export class OpenWindows {
  readonly #allowedLatenessMs: number;
  readonly #windows = new Map<number, OpenWindow>();
  /** The watermark at which something is due next: a firing, or the end of a window's lateness. */
  dueMs = Number.POSITIVE_INFINITY;

  constructor(allowedLatenessMs: number) {
    this.#allowedLatenessMs = allowedLatenessMs;
  }

  /** Every window, by end, then start: the order of firing. */
  inOrder(): OpenWindow[] {
    return [...this.#windows.values()].sort(inFiringOrder);
  }

  /** The window that starts at `startMs`, made where it is not open yet. */
  open(startMs: number, endMs: number): OpenWindow {
    let window = this.#windows.get(startMs);
    if (window === undefined) {
      window = new OpenWindow(startMs, endMs);
      this.#windows.set(startMs, window);
      if (endMs < this.dueMs) this.dueMs = endMs;
    }
    return window;
  }

  /** The windows that the watermark has closed and that are not fired yet, in the order of firing. */
  toFire(watermarkMs: number): OpenWindow[] {
    const due: OpenWindow[] = [];
    for (const window of this.#windows.values()) {
      if (!window.fired && window.endMs <= watermarkMs) due.push(window);
    }
    return due.sort(inFiringOrder);
  }

  /** Drops fired windows whose lateness is over, and finds what is due next. */
  settle(watermarkMs: number): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    for (const [startMs, window] of this.#windows) {
      const closesMs = window.endMs + this.#allowedLatenessMs;
      if (window.fired && closesMs <= watermarkMs) {
        this.#windows.delete(startMs);
      } else {
        this.dueMs = Math.min(this.dueMs, window.fired ? closesMs : window.endMs);
      }
    }
  }
}

const inFiringOrder = (a: OpenWindow, b: OpenWindow): number => a.endMs - b.endMs || a.startMs - b.startMs;
