/** When a window's results are emitted, and what an emission leaves behind. */

export type EmitPolicy =
  | { readonly kind: "on-close" }
  | { readonly kind: "on-update" }
  | { readonly kind: "every"; readonly everyMs: number };

/** Once, when the watermark reaches the window's end. The default. */
export const onClose = (): EmitPolicy => ({ kind: "on-close" });

/** At every event: the result so far. */
export const onUpdate = (): EmitPolicy => ({ kind: "on-update" });

/**
 * Each time the watermark passes a multiple of `everyMs` since the epoch: the result so far of each key that changed
 * since its last emission; and once more when the window ends, if anything changed since.
 */
export const everyEventTimeMs = (everyMs: number): EmitPolicy => ({ kind: "every", everyMs });

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
