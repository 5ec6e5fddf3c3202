/**
 * How an event type enters the catalogue. A catalogue entry is data: the ingest function validates with it,
 * the CDK app makes its topic, and a pipeline takes its types from it. Entries import TypeBox as a namespace
 * (`import * as Type`), so that a function's bundle holds what they use of it and not all.
 */
import type { Static, TObject } from "typebox";
import { type Priority, type TopicName, type TopicOf, topics } from "../topics.ts";

export type DataClassification = "public" | "internal" | "confidential" | "personal";

export interface EventDefinition<Type extends string = string, Schema extends TObject = TObject> {
  /** The CloudEvents `type`, past tense, dot-separated: `flight.departed`. */
  readonly type: Type;
  /** The topic its events are written to. Types that are correlated share one. */
  readonly topic: TopicName;
  /**
   * Topics of other priorities, for those of its events that ask for one of them with the attribute `priority`; such a
   * topic has that priority, or this does not compile. @default `topic` takes all of its events
   */
  readonly topics?: { readonly [P in Priority]?: TopicOf<P> };
  /** JSON Schema of the event's `data`. It must take what its releases took, see docs/events.md. */
  readonly data: Schema;
  /**
   * The field of `data` that the Kafka key must equal. The key itself is the event's `partitionkey`, else its
   * `subject`; the door refuses an event where they disagree, since its pipeline would find it in a partition
   * that is not its key's.
   */
  readonly partitionKey: Extract<keyof Static<Schema>, string>;
  /** Who answers for the type: a team's name. */
  readonly owner: string;
  readonly classification: DataClassification;
  /** How far `time` may lie ahead of an event's arrival, in milliseconds; beyond it the door refuses the event. */
  readonly futureBoundMs: number;
}

/** A catalogue entry that cannot be: which type, which setting, what is allowed. */
export class EventDefinitionError extends Error {
  override readonly name = "EventDefinitionError";
  readonly code = "EVENT_DEFINITION";
}

/**
 * Makes a catalogue entry; the type parameters keep its name and its schema exact.
 * @throws EventDefinitionError where a topic is listed under a priority that is not its own, or that `topic` has already
 */
export function defineEvent<const Type extends string, Schema extends TObject>(
  definition: EventDefinition<Type, Schema>,
): EventDefinition<Type, Schema> {
  const { type, topic, topics: others = {} } = definition;
  for (const [priority, other] of Object.entries(others)) {
    const refuse = (why: string): never => {
      throw new EventDefinitionError(`${type}: topics.${priority} is ${other}; ${why}`);
    };
    if (topics[other]?.priority !== priority) refuse(`list a topic of priority ${priority} there`);
    if (topics[topic].priority === priority) refuse(`${topic}, its topic, is of that priority already`);
  }
  return definition;
}

/** Where an event goes that asks for a priority; undefined where its type has no topic of that one. */
export function topicOfPriority(
  { topic, topics: others }: Pick<EventDefinition, "topic" | "topics">,
  priority: unknown,
): TopicName | undefined {
  if (topics[topic].priority === priority) return topic;
  return others !== undefined && Object.hasOwn(others, String(priority))
    ? others[priority as Priority]
    : undefined;
}

/** Every topic that a type's events may go to, its default one first. */
export const topicsOfType = ({
  topic,
  topics: others = {},
}: Pick<EventDefinition, "topic" | "topics">): readonly TopicName[] => [topic, ...Object.values(others)];

/** The `data` of an entry's events. */
export type DataOf<D> = D extends EventDefinition<string, infer Schema> ? Static<Schema> : never;
