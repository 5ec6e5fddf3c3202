/** A stream under another key: a stage of its own forwards it, and the next stage reads what that wrote. */
import { forwardedTopic } from "../../../contracts/topics.ts";
import { decodeForwarded, type Forwarded, type Identified } from "../operators/forward/envelope.ts";
import { ForwardDefinition } from "../operators/forward/forward-definition.ts";
import { PipelineError, requireName } from "./checks.ts";
import type { PipelineDefinition, Transform } from "./definition.ts";
import type { Source } from "./source.ts";
import { inputOf, type KeyedStreamParts, type StreamParts } from "./stream-parts.ts";

export interface RekeyOptions {
  /** Partitions of the topic in between, so tasks of the stage behind it. Default: as many as the source has. */
  readonly partitions?: number;
}

type Key = KeyedStreamParts["key"];

export function rekeyed(
  stream: StreamParts,
  name: string,
  key: Key,
  { partitions = null }: { readonly partitions?: number | null },
): KeyedStreamParts {
  const stage = stageName(stream.name, name);
  requirePartitions(stream.name, name, partitions);
  const topic = forwardedTopic(stage);
  return {
    ...stream,
    role: "forwarded",
    source: forwardedSource(topic) as Source<unknown>,
    outOfOrderMs: 0,
    idleTimeoutMs: null,
    transform: (forwarded) => [(forwarded as Forwarded).element],
    upstream: [forwardingStage(stream, { stage, topic, partitions, key })],
    key,
  };
}

function forwardingStage(
  stream: StreamParts,
  { key, ...forward }: { stage: string; topic: string; partitions: number | null; key: Key },
): PipelineDefinition {
  const parts: KeyedStreamParts = {
    ...stream,
    transform: identified(stream),
    key: (element) => key((element as Identified).element),
  };
  return Object.freeze({
    name: forward.stage,
    service: stream.service,
    inputs: [inputOf(parts, null)],
    operators: [new ForwardDefinition(forward)],
    upstream: stream.upstream,
    forwards: { topic: forward.topic, partitions: forward.partitions },
  });
}

/** The stream's steps, with each element's identity beside it where the pipeline dedupes. */
function identified({ source, transform, dedupe }: StreamParts): Transform {
  const elementsOf: Transform = transform ?? ((event) => [event]);
  if (dedupe === false) return (event) => elementsOf(event).map((element) => ({ element }));
  return (event) => {
    const identity = source.identity!(event);
    // Elements of one event that get the same key are no duplicates of each other.
    return elementsOf(event).map((element, index) => ({
      element,
      identity: index === 0 ? identity : `${identity}\n${index}`,
    }));
  };
}

const forwardedSource = (topic: string): Source<Forwarded> => ({
  topic,
  decode: decodeForwarded,
  time: ({ time }) => time,
  identity: ({ identity }) => identity!,
  // The stage upstream has judged it already.
  futureBoundMs: () => Number.POSITIVE_INFINITY,
});

/** The name of the stage before a new key: part of its group's, its transactional ids' and its topics' names. */
export function stageName(pipeline: string, name: string): string {
  requireName(`pipeline ${pipeline}: the name of the new key`, name);
  // The sink reads a pipeline's results as the group `<pipeline>.sink`.
  if (name === "sink") throw new PipelineError(`pipeline ${pipeline}: a new key cannot be called sink`);
  return `${pipeline}.${name}`;
}

export function requirePartitions(pipeline: string, name: string, partitions: number | null): void {
  if (partitions === null || (Number.isSafeInteger(partitions) && partitions >= 1)) return;
  throw new PipelineError(
    `pipeline ${pipeline}: ${name}: partitions is ${partitions}; it must be a whole number from 1`,
  );
}
