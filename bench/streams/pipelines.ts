/** The cases as pipelines: what the processor's bundle holds in place of those that are deployed, see bundle.ts. */
import {
  type CustomSource,
  count,
  global,
  hopping,
  jsonFields,
  type KeyedStream,
  max,
  onUpdate,
  type PipelineDefinition,
  pipeline,
  session,
  sum,
  tumbling,
  type WindowDefinition,
} from "../../processors/engine/pipeline/dsl.ts";
import { type BenchEvent, OUT_OF_ORDER_MS } from "./events.ts";
import { type WindowCase, type WindowSpec, windowCases } from "./windows.ts";

/** What the pipelines need of an event. */
export type Needed = Pick<BenchEvent, "key" | "time" | "amount">;

export const sourceOf = (topic: string): CustomSource<Needed> => ({
  topic,
  decode: jsonFields({ key: "text", time: "number", amount: "number" }),
  time: ({ time }) => time,
});

/** Dedupe is off, as the peers have none. */
export const sourceOptions = { outOfOrderMs: OUT_OF_ORDER_MS, dedupe: false } as const;

export function pipelineOf(
  { name, stream, window }: WindowCase,
  source = sourceOf(stream.topic),
): PipelineDefinition {
  const keyed = pipeline(name)
    .from<Needed>(source, sourceOptions)
    .keyBy(({ key }) => key);
  return totalsOf(keyed, window);
}

export const totalsOf = (keyed: KeyedStream<Needed>, window: WindowSpec): PipelineDefinition =>
  keyed
    .window(definitionOf(window))
    .aggregate({ count: count(), sum: sum(({ amount }) => amount), max: max(({ amount }) => amount) })
    .toResults();

function definitionOf(window: WindowSpec): WindowDefinition {
  switch (window.kind) {
    case "tumbling":
      return tumbling({ sizeMs: window.sizeMs });
    case "hopping":
      return hopping({ sizeMs: window.sizeMs, advanceMs: window.advanceMs });
    case "session":
      return session({ gapMs: window.gapMs });
    case "global":
      return global({ trigger: onUpdate() });
  }
}

export const pipelines: readonly PipelineDefinition[] = windowCases.map((each) => pipelineOf(each));
