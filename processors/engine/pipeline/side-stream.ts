/** A second source of a pipeline: to be united with its stream, or joined to it. */
import { type TopicName, topics } from "../../../contracts/topics.ts";
import {
  PipelineError,
  requireDuration,
  requireFunction,
  requireOptionalFunction,
  requireTopic,
} from "./checks.ts";
import { type InputDefinition, settingsOf } from "./definition.ts";
import { type CustomSource, type Source, toSource } from "./source.ts";
import {
  type FromOptions,
  inputOf,
  type KeyedStreamParts,
  type PipelineParts,
  type StreamParts,
} from "./stream-parts.ts";
import { filtering, flatMapping, mapping, type StepBefore, through } from "./transform.ts";

const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/**
 * A stream beside the pipeline's own, of another topic with as many partitions and the same keys: a task reads
 * partition n of both, and its watermark is the smaller of theirs.
 */
export function stream<Event>(
  source: Source<Event> | CustomSource<Event>,
  options: FromOptions,
): SideStream<Event> {
  return new SideStream<Event>(
    sourceParts(
      {
        name: `with ${source.topic}`,
        service: "",
        startAt: "earliest",
        maxEntriesPerTask: 0,
        maxIdsPerTask: 0,
        maxBacklogRecordsPerTask: 0,
        scaling: { targetBacklogSeconds: 0, schedules: [] },
      },
      source,
      options,
    ),
  );
}

export class SideStream<Event> {
  /** Only the type of its events. */
  declare readonly Event: Event;
  readonly parts: StreamParts;

  constructor(parts: StreamParts) {
    this.parts = parts;
  }

  /** Keeps the events for which it holds; the others count as ignored. */
  filter<Kept extends Event>(keep: (event: Event) => event is Kept): SideStream<Kept>;
  filter(keep: (event: Event) => boolean): SideStream<Event>;
  filter(keep: (event: Event) => boolean): SideStream<Event> {
    requireFunction(this.parts.name, "filter", keep);
    return this.#through((before) => filtering(before, keep));
  }

  /** Changes each event into another one, of the same event time. */
  map<Next>(change: (event: Event) => Next): SideStream<Next> {
    requireFunction(this.parts.name, "map", change);
    return this.#through((before) => mapping(before, change));
  }

  /** Changes each event into none, one or several, all of the same event time. */
  flatMap<Next>(expand: (event: Event) => readonly Next[]): SideStream<Next> {
    requireFunction(this.parts.name, "flatMap", expand);
    return this.#through((before) => flatMapping(before, expand));
  }

  /** Groups by the key of the stream that it is to be joined to; like there, it must be the Kafka key. */
  keyBy(key: (event: Event) => string): KeyedSideStream<Event> {
    requireFunction(this.parts.name, "keyBy", key);
    return new KeyedSideStream<Event>({ ...this.parts, key: key as (element: unknown) => string });
  }

  #through<Next>(step: StepBefore): SideStream<Next> {
    return new SideStream<Next>(through(this.parts, step));
  }
}

export class KeyedSideStream<Event> {
  /** Only the type of its events. */
  declare readonly Event: Event;
  readonly parts: KeyedStreamParts;

  constructor(parts: KeyedStreamParts) {
    this.parts = parts;
  }
}

/**
 * A source with its options, checked.
 * @throws PipelineError where an option cannot be
 */
export function sourceParts<Event>(
  parts: PipelineParts,
  source: Source<Event> | CustomSource<Event>,
  { outOfOrderMs, idleTimeoutMs = DEFAULT_IDLE_TIMEOUT_MS, dedupe }: FromOptions,
): StreamParts {
  const { name } = parts;
  requireSource(name, source);
  const complete = toSource(source);
  requireDuration(name, "outOfOrderMs", outOfOrderMs, 0);
  if (idleTimeoutMs !== null) requireDuration(name, "idleTimeoutMs", idleTimeoutMs, 1);
  if (dedupe !== false && complete.identity === undefined) {
    throw new PipelineError(
      `pipeline ${name}: its source has no identity(event), so it cannot dedupe; ` +
        "give the source one, or say dedupe: false",
    );
  }
  if (dedupe !== false && dedupe !== undefined) {
    requireDuration(name, "dedupe.horizonMs", dedupe?.horizonMs, 1);
  }
  return {
    name,
    ...settingsOf(parts),
    role: "events",
    source: complete as Source<unknown>,
    outOfOrderMs,
    idleTimeoutMs,
    dedupe,
    transform: null,
    enrich: null,
    upstream: [],
    others: [],
  };
}

function requireSource<Event>(name: string, source: Source<Event> | CustomSource<Event>): void {
  const { topic, decode, time, identity, futureBoundMs } = source;
  requireTopic(name, "source.topic", topic);
  requireFunction(name, "source.decode", decode);
  requireFunction(name, "source.time", time);
  requireOptionalFunction(name, "source.identity", identity);
  if (futureBoundMs !== undefined && typeof futureBoundMs !== "function") {
    requireDuration(name, "source.futureBoundMs", futureBoundMs, 0);
  }
}

/** The stream with another one of the same events beside it. */
export function united(parts: StreamParts, other: StreamParts): StreamParts {
  return { ...parts, others: [...parts.others, other] };
}

/**
 * Every input of a task: its stream's, those united with it, and the one that it is joined with.
 * @param dedupeHorizonOf how long each remembers identities
 */
export function inputsOf(
  parts: KeyedStreamParts,
  right: KeyedStreamParts | undefined,
  dedupeHorizonOf: (dedupe: FromOptions["dedupe"]) => number | null,
): readonly InputDefinition[] {
  const others = parts.others.map((other) => ({ ...other, key: parts.key }));
  const inputs = [parts, ...others, ...(right === undefined ? [] : [right])].map((input) =>
    inputOf(input, dedupeHorizonOf(input.dedupe)),
  );
  requireDistinctTopics(parts.name, inputs);
  requireOnePriority(parts.name, inputs);
  return inputs;
}

/** Index of the input that a stream is joined with. */
export const rightInputOf = ({ others }: StreamParts): number => 1 + others.length;

/**
 * A task takes its inputs in step, so that events of high priority would wait for what is shed or spilled of the others.
 * What a stage forwards has no priority, and a topic that is none of the catalogue's neither.
 */
function requireOnePriority(pipeline: string, inputs: readonly InputDefinition[]): void {
  const events = inputs.filter(({ role, topic }) => role === "events" && Object.hasOwn(topics, topic));
  const priorities = Map.groupBy(events, ({ topic }) => topics[topic as TopicName].priority);
  if (priorities.size <= 1) return;
  const read = [...priorities].map(
    ([priority, of]) => `${of.map(({ topic }) => topic).join(", ")} (${priority})`,
  );
  throw new PipelineError(
    `pipeline ${pipeline}: its inputs have different priorities: ${read.join(" and ")}; read topics of one priority, ` +
      "make a pipeline for each, or send one of them on by a new key, with rekeyBy(…)",
  );
}

export function requireDistinctTopics(pipeline: string, inputs: readonly InputDefinition[]): void {
  const topics = inputs.map(({ topic }) => topic);
  const twice = topics.find((topic, index) => topics.indexOf(topic) < index);
  if (twice === undefined) return;
  throw new PipelineError(
    `pipeline ${pipeline}: two of its inputs read the topic ${twice}; read it once, ` +
      "with events(…) of all types that it needs",
  );
}
