/** When a window's results are emitted, and what an emission leaves behind. */

export interface EmitOnClose {
  readonly kind: "on-close";
}

export interface EmitOnUpdate {
  readonly kind: "on-update";
}

export interface EmitEvery {
  readonly kind: "every";
  readonly everyMs: number;
}

export type EmitPolicy = EmitOnClose | EmitOnUpdate | EmitEvery;

/** Once, when the watermark reaches the window's end. The default. */
export const onClose = (): EmitOnClose => ({ kind: "on-close" });

/** At every event: the result so far. */
export const onUpdate = (): EmitOnUpdate => ({ kind: "on-update" });

/**
 * Each time the watermark passes a multiple of `everyMs` since the epoch: the result so far of each key that changed
 * since its last emission; and once more when the window ends, if anything changed since.
 */
export const everyEventTimeMs = (everyMs: number): EmitEvery => ({ kind: "every", everyMs });

/**
 * `accumulating`: each emission of a window holds everything in it. `discarding`: each holds only what came since the
 * last, and is a row of its own downstream.
 */
export type Panes = "accumulating" | "discarding";

export interface Emission {
  readonly emit: EmitPolicy;
  readonly panes: Panes;
}

/** The first multiple of `everyMs` after the watermark. */
export const nextMultiple = (everyMs: number, watermarkMs: number): number =>
  (Math.floor(watermarkMs / everyMs) + 1) * everyMs;
