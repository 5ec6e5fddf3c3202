/** The pipelines that runs are of: windows with lateness, dedupe, and ticks. */
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { hopping, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { type Reading, readings } from "../task-fixture.ts";

export const IDLE_TIMEOUT_MS = 250;

export type Kind = "tumbling" | "hopping";

/** The pipeline of a run. */
export function definitionOf(kind: Kind): PipelineDefinition {
  const window = kind === "tumbling" ? tumbling({ sizeMs: 900 }) : hopping({ sizeMs: 1_800, advanceMs: 900 });
  // A horizon that is shorter than lateness allows wins over it.
  const dedupe = kind === "tumbling" ? { dedupe: { horizonMs: 700 } } : {};
  const definition = readings({ outOfOrderMs: 500, allowedLatenessMs: 400, window, ...dedupe });
  const transform = kind === "tumbling" ? null : twice;
  const inputs = definition.inputs.map((input) => ({ ...input, idleTimeoutMs: IDLE_TIMEOUT_MS, transform }));
  return { ...definition, inputs };
}

/** Some events make a second element that cannot be counted, when the first is staged already. */
function twice(event: unknown): readonly unknown[] {
  const reading = event as Reading;
  return [reading, { ...reading, v: reading.v === UNLUCKY ? null : reading.v + 1 }];
}

const UNLUCKY = 13;
