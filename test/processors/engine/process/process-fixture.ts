/** A process step over plain JSON events, whose functions the test gives. */
import {
  keyedState,
  type PipelineDefinition,
  type ProcessFunctions,
  pipeline,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { type Arrival, event, watermark } from "../scripted-run.ts";

const TOPIC = "happenings";

export interface Happening {
  readonly key: string;
  readonly t: number;
  readonly v?: number;
  /** Several: one element for each. */
  readonly parts?: readonly number[];
}

export const decodeJson = (value: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(value));

export function processing<View = never>(
  functions: ProcessFunctions<Happening, View>,
  outOfOrderMs = 0,
): PipelineDefinition {
  return pipeline("happened")
    .from(
      { topic: TOPIC, decode: (value) => decodeJson(value) as Happening, time: ({ t }) => t },
      { outOfOrderMs, dedupe: false },
    )
    .keyBy(({ key }) => key)
    .flatMap((happening) => (happening.parts ?? [happening.v ?? 0]).map((v) => ({ ...happening, v })))
    .process<View>(functions)
    .toResults();
}

export const numbers = (ttlMs?: number) => keyedState<number>(ttlMs === undefined ? {} : { ttlMs });

export const arrivalsOf = (happenings: readonly (Happening | number)[]): Arrival[] =>
  happenings.map((each) => (typeof each === "number" ? watermark(TOPIC, each) : event(TOPIC, each)));
