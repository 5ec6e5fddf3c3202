/** The pipelines that runs are of: windows with lateness, dedupe, and ticks. */
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { hopping, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { readings } from "../task-fixture.ts";

export const IDLE_TIMEOUT_MS = 250;

export type Kind = "tumbling" | "hopping";

/** The pipeline of a run. */
export function definitionOf(kind: Kind): PipelineDefinition {
  const window = kind === "tumbling" ? tumbling({ sizeMs: 900 }) : hopping({ sizeMs: 1_800, advanceMs: 900 });
  // A horizon that is shorter than lateness allows wins over it.
  const dedupe = kind === "tumbling" ? { dedupe: { horizonMs: 700 } } : {};
  const definition = readings({ outOfOrderMs: 500, allowedLatenessMs: 400, window, ...dedupe });
  const inputs = definition.inputs.map((input) => ({ ...input, idleTimeoutMs: IDLE_TIMEOUT_MS }));
  return { ...definition, inputs };
}
