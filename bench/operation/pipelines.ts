/** The cases as pipelines: what the processor's bundle holds here, those of the streams' benchmark among them. */
import { type PipelineDefinition, pipeline } from "../../processors/engine/pipeline/dsl.ts";
import {
  type Needed,
  pipelineOf,
  sourceOf,
  sourceOptions,
  pipelines as streamsPipelines,
  totalsOf,
} from "../streams/pipelines.ts";
import { closingCases, NEW_KEY, restagedTotals, totalsCases } from "./cases.ts";

const restaged = pipeline(restagedTotals.name)
  .from<Needed>(sourceOf(restagedTotals.stream.topic), sourceOptions)
  .rekeyBy(NEW_KEY, ({ key }) => key);

export const pipelines: readonly PipelineDefinition[] = [
  ...streamsPipelines,
  ...[...totalsCases, ...closingCases].map((each) => pipelineOf(each)),
  totalsOf(restaged, restagedTotals.window),
];
