/** A pipeline as data: what the DSL makes, the engine runs, and the CDK app derives infrastructure from. */
import type { Aggregate } from "../aggregates/aggregate.ts";
import type { WindowDefinition } from "../windows/window.ts";
import type { Source } from "./source.ts";

export interface PipelineDefinition<Event = unknown> {
  readonly name: string;
  /** The Fargate service that runs it; pipelines of the same service share its processes. */
  readonly service: string;
  /** Topics it reads. A task owns partition n of each. */
  readonly inputs: readonly { readonly topic: string }[];
  readonly source: Source<Event>;
  /** The watermark trails the largest event time seen by this much: how late an event may come and be on time. */
  readonly outOfOrderMs: number;
  /** The record's key: must hash to the partition that the record is in. */
  readonly key: (event: Event) => string;
  readonly window: WindowDefinition;
  /** A closed window still takes events (and is emitted again) for this long, by event time. */
  readonly allowedLatenessMs: number;
  /** How long (source, id) pairs are remembered, by event time; null: no dedupe. */
  readonly dedupeHorizonMs: number | null;
  /** In the order in which they were written: that order is the row's layout. */
  readonly aggregates: readonly NamedAggregate<Event>[];
}

export interface NamedAggregate<Event> {
  readonly name: string;
  readonly aggregate: Aggregate<Event>;
}

/** The part of a definition that its state depends on, as text; equal text means the state can be read back. */
export function stateSchema(definition: PipelineDefinition): string {
  const { window, aggregates, outOfOrderMs, allowedLatenessMs, inputs, dedupeHorizonMs } = definition;
  return JSON.stringify({
    inputs: inputs.map(({ topic }) => topic),
    window,
    outOfOrderMs,
    allowedLatenessMs,
    dedupeHorizonMs,
    aggregates: aggregates.map(({ name, aggregate }) => `${name}:${aggregate.kind}/${aggregate.slots}`),
  });
}
