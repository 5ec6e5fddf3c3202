/** A pipeline as data: what the DSL makes, the engine runs, and the CDK app derives infrastructure from. */
import type { OperatorDefinition } from "../operators/operator.ts";
import type { Source } from "./source.ts";

export interface PipelineDefinition {
  readonly name: string;
  /** The Fargate service that runs it; pipelines of the same service share its processes. */
  readonly service: string;
  /** Topics it reads. A task owns partition n of each. */
  readonly inputs: readonly InputDefinition[];
  readonly operators: readonly OperatorDefinition[];
}

export interface InputDefinition {
  readonly topic: string;
  readonly source: Source<unknown>;
  /** The watermark trails the largest event time seen by this much: how late an event may come and be on time. */
  readonly outOfOrderMs: number;
  /** Without a record for this long, at the end of the log, the clock moves the watermark; null: it waits. */
  readonly idleTimeoutMs: number | null;
  /** How long (source, id) pairs are remembered, by event time; null: no dedupe. */
  readonly dedupeHorizonMs: number | null;
  /** What an event becomes before it is grouped, none or several elements of its time; null: itself. */
  readonly transform: Transform | null;
  /** An element's key: must hash to the partition that the record is in. */
  readonly key: (element: unknown) => string;
}

export type Transform = (event: unknown) => readonly unknown[];

/** The names of everything it writes results under. */
export const seriesOf = ({ operators }: PipelineDefinition): string[] =>
  operators.map(({ series }) => series);
