/** A stream under another key: a stage of its own forwards it, and the next stage reads what that wrote. */
import { forwardedTopic } from "../../../contracts/topics.ts";
import { decodeForwarded, type Forwarded, type Identified } from "../operators/forward/envelope.ts";
import { ForwardDefinition, type ForwardingStage } from "../operators/forward/forward-definition.ts";
import { PipelineError, requireCount, requireName } from "./checks.ts";
import { type PipelineDefinition, settingsOf, type Transform } from "./definition.ts";
import type { Enrichment } from "./enrichment.ts";
import { inputsOf } from "./side-stream.ts";
import type { Source } from "./source.ts";
import type { KeyedStreamParts, StreamParts } from "./stream-parts.ts";

export interface RekeyOptions {
  /** Partitions of the topic in between, so tasks of the stage behind it. Default: as many as the source has. */
  readonly partitions?: number;
}

/** @throws PipelineError where the new key cannot be called so, or not have so many partitions */
export function stageOf(
  pipeline: string,
  name: string,
  { partitions = null }: { readonly partitions?: number | null },
): ForwardingStage {
  requireName(`pipeline ${pipeline}: the name of the new key`, name);
  // The sink reads a pipeline's results as the group `<pipeline>.sink`.
  if (name === "sink") throw new PipelineError(`pipeline ${pipeline}: a new key cannot be called sink`);
  if (partitions !== null) requireCount(pipeline, `${name}: partitions`, partitions);
  const stage = `${pipeline}.${name}`;
  return { stage, topic: forwardedTopic(stage), partitions };
}

/** The stream as the stage behind the new key reads it. */
export function rekeyed(
  stream: StreamParts,
  stage: ForwardingStage,
  key: KeyedStreamParts["key"],
): KeyedStreamParts {
  return {
    ...behind(stream, stage, forwardedSource(stage.topic) as Source<unknown>),
    dedupe: stream.dedupe,
    transform: (forwarded) => [(forwarded as Forwarded).element],
    upstream: [forwardingStage(stream, stage, key)],
    key,
  };
}

/** What a stage reads that another one writes: its time and its silences come with it. */
export function behind(parts: StreamParts, { topic }: ForwardingStage, source: Source<unknown>): StreamParts {
  return {
    name: parts.name,
    ...settingsOf(parts),
    role: "forwarded",
    source: { ...source, topic },
    outOfOrderMs: 0,
    idleTimeoutMs: null,
    dedupe: false,
    transform: null,
    enrich: null,
    upstream: [],
    others: [],
  };
}

function forwardingStage(
  stream: StreamParts,
  stage: ForwardingStage,
  key: KeyedStreamParts["key"],
): PipelineDefinition {
  const parts: KeyedStreamParts = {
    ...stream,
    ...identified(stream, 0),
    others: stream.others.map((other, index) => ({ ...other, ...identified(other, index + 1) })),
    key: (element) => key((element as Identified).element),
  };
  return Object.freeze({
    name: stage.stage,
    ...settingsOf(stream),
    inputs: inputsOf(parts, undefined, () => null),
    operators: [new ForwardDefinition(stage)],
    resultSchemas: new Map(),
    access: "private",
    notify: false,
    upstream: stream.upstream,
    forwards: { topic: stage.topic, partitions: stage.partitions },
  });
}

/**
 * The stream's steps, with each element's identity beside it where the pipeline dedupes. Elements of one event that get
 * the same key are no duplicates of each other, nor are events of two sources.
 */
function identified(
  { source, transform, enrich, dedupe }: StreamParts,
  input: number,
): Pick<StreamParts, "transform" | "enrich"> {
  const elementsOf: Transform = transform ?? ((event) => [event]);
  const identities = dedupe === false ? null : source.identity!;
  const before: Transform = (event) => {
    const identity = identities?.(event);
    return elementsOf(event).map((element, index) =>
      withIdentity(element, index === 0 && input === 0 ? identity : further(identity, `${index}\n${input}`)),
    );
  };
  return { transform: before, enrich: enrich === null ? null : enrichedWithIdentity(enrich) };
}

/** A step that asks about elements, and those behind it, for elements that have an identity beside them. */
function enrichedWithIdentity(enrich: Enrichment): Enrichment {
  const after: Transform = enrich.after ?? ((element) => [element]);
  return {
    ...enrich,
    question: (identified) => enrich.question((identified as Identified).element),
    combine: (identified, answer, degraded) => {
      const { element, identity } = identified as Identified;
      return withIdentity(enrich.combine(element, answer, degraded), identity);
    },
    after: (identified) => {
      const { element, identity } = identified as Identified;
      return after(element).map((next, index) =>
        withIdentity(next, index === 0 ? identity : further(identity, `behind\n${index}`)),
      );
    },
  };
}

const withIdentity = (element: unknown, identity: string | undefined): Identified =>
  identity === undefined ? { element } : { element, identity };

const further = (identity: string | undefined, which: string): string | undefined =>
  identity === undefined ? undefined : `${identity}\n${which}`;

const forwardedSource = (topic: string): Source<Forwarded> => ({
  topic,
  decode: decodeForwarded,
  time: ({ time }) => time,
  identity: ({ identity }) => identity!,
  // The stage upstream has judged it already.
  futureBoundMs: () => Number.POSITIVE_INFINITY,
  maxFutureBoundMs: Number.POSITIVE_INFINITY,
});
