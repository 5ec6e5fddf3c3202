/** Where a pipeline's events come from: types of the catalogue, or any topic with its own decoding. */
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import { SPEC_VERSION } from "../../../contracts/cloudevent.ts";
import {
  catalogue,
  type DataOf,
  type EventDefinition,
  topicOfPriority,
  topicsOfType,
} from "../../../contracts/events/catalogue.ts";
import { parseRfc3339 } from "../../../contracts/rfc3339.ts";
import { type Priority, topics } from "../../../contracts/topics.ts";
import { PipelineError, shown } from "./checks.ts";

/** A decoded event the pipeline has no interest in; it only counts as read. */
export const IGNORED = Symbol("ignored");

export interface Source<Event> {
  readonly topic: string;
  /**
   * The event in a record's value, or {@link IGNORED}. Throws where the bytes are not one; the record then goes
   * to the dead letters with the error's message, so that message must not quote the payload.
   */
  decode(value: Uint8Array): Event | typeof IGNORED;
  /** Event time, milliseconds since the epoch. A value that is not a finite number dead-letters the record. */
  time(event: Event): number;
  /** What makes two records the same event; absent: the pipeline cannot dedupe. */
  identity?(event: Event): string;
  /** How far event time may lie ahead of the record's arrival, in milliseconds. */
  futureBoundMs(event: Event): number;
  /** The largest that {@link futureBoundMs} returns. */
  readonly maxFutureBoundMs: number;
}

/** A source that is not in the catalogue. */
export interface CustomSource<Event> {
  readonly topic: string;
  readonly decode: (value: Uint8Array) => Event;
  /** Event time, milliseconds since the epoch. */
  readonly time: (event: Event) => number;
  /** Default: none, and the pipeline must say `dedupe: false`. */
  readonly identity?: (event: Event) => string;
  /** Default: 24 hours. */
  readonly futureBoundMs?: number;
}

const DAY_MS = 86_400_000;

/** An event of a type of the catalogue, as {@link events} yields it: `EventOf<typeof flightDeparted>`. */
export type EventOf<D> =
  D extends EventDefinition<infer Type> ? CloudEvent<DataOf<D>> & { readonly type: Type } : never;

/**
 * Events of one or more catalogue types, all of one topic. Other types on that topic are skipped.
 * @throws PipelineError where the types are on different topics.
 */
export function events<const D extends readonly EventDefinition[]>(
  ...definitions: D
): Source<EventOf<D[number]>> {
  return sourceOf("events()", definitions, ({ topic }) => topic);
}

/**
 * Those events of one or more catalogue types that asked for a priority, and went to the topic that their types have for
 * it. Those that asked for none are on the types' own topic, which {@link events} reads.
 * @throws PipelineError where a type has no topic of that priority, or the types have different ones.
 */
export function eventsOfPriority<const D extends readonly EventDefinition[]>(
  priority: Priority,
  ...definitions: D
): Source<EventOf<D[number]>> {
  const step = `eventsOfPriority(${shown(priority)})`;
  return sourceOf(step, definitions, (definition) => {
    const topic = topicOfPriority(definition, priority);
    if (topic !== undefined) return topic;
    const possible = topicsOfType(definition).map((each) => topics[each].priority);
    throw new PipelineError(
      `${step}: ${definition.type} has no topic of that priority; it has ${possible.join(" and ")}: ` +
        "list one in its topics, in the catalogue",
    );
  });
}

function sourceOf<const D extends readonly EventDefinition[]>(
  step: string,
  definitions: D,
  topicFor: (definition: EventDefinition) => string,
): Source<EventOf<D[number]>> {
  const [first] = definitions;
  if (first === undefined) throw new PipelineError(`${step} needs at least one type of the catalogue`);
  const topic = topicFor(first);
  const stray = definitions.find((definition) => topicFor(definition) !== topic);
  if (stray !== undefined) {
    throw new PipelineError(
      `${step}: ${first.type} is on topic ${topic}, ${stray.type} on ${topicFor(stray)}; ` +
        "a source reads one topic: give the types one topic in the catalogue",
    );
  }
  const bounds = new Map(definitions.map(({ type, futureBoundMs }) => [type, futureBoundMs]));
  const onTopic = catalogue.filter((definition) =>
    (topicsOfType(definition) as readonly string[]).includes(topic),
  );
  const known = new Set(onTopic.map(({ type }) => type));
  return {
    topic,
    decode: (value) => decodeCloudEvent(value, bounds, known) as EventOf<D[number]> | typeof IGNORED,
    time: (event) => timeOf(event),
    identity: (event) => `${event.source}\n${event.id}`,
    futureBoundMs: (event) => bounds.get(event.type)!,
    maxFutureBoundMs: Math.max(...bounds.values()),
  };
}

const timeOf = ({ time }: CloudEvent): number =>
  (typeof time === "string" ? parseRfc3339(time) : undefined) ?? Number.NaN;

/** Completes a {@link CustomSource}; a source made by {@link events} is returned as it is. */
export function toSource<Event>(source: Source<Event> | CustomSource<Event>): Source<Event> {
  if (typeof source.futureBoundMs === "function") return source as Source<Event>;
  const { futureBoundMs = DAY_MS, ...rest } = source as CustomSource<Event>;
  return { ...rest, futureBoundMs: () => futureBoundMs, maxFutureBoundMs: futureBoundMs };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes as text; throws where they are not valid UTF-8, since a replaced character would be a changed event. */
export function decodeText(value: Uint8Array): string {
  try {
    return utf8.decode(value);
  } catch (cause) {
    throw new Error("the value is not valid UTF-8", { cause });
  }
}

function decodeCloudEvent(
  value: Uint8Array,
  wanted: ReadonlyMap<string, number>,
  known: ReadonlySet<string>,
): CloudEvent | typeof IGNORED {
  const event = parseObject(decodeText(value)) as unknown as CloudEvent;
  if (event.specversion !== SPEC_VERSION) throw new Error(`specversion is not ${SPEC_VERSION}`);
  if (!wanted.has(event.type)) {
    if (known.has(event.type)) return IGNORED;
    throw new Error("type is not one of the catalogue's types for this topic");
  }
  if (typeof event.data !== "object" || event.data === null)
    throw new Error("data is missing or not an object");
  if (typeof event.id !== "string" || event.id === "") throw new Error("id is missing or not text");
  if (typeof event.source !== "string" || event.source === "")
    throw new Error("source is missing or not text");
  return event;
}

/** A JSON object's text as that object; throws an error that does not quote it where it is none. */
export function parseObject(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the payload, which must not reach a header or a log.
    throw new Error("the value is not valid JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error("the value is not a JSON object");
  }
  return parsed as Record<string, unknown>;
}
