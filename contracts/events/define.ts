/**
 * How an event type enters the catalogue. A catalogue entry is data: the ingest function validates with it,
 * the CDK app makes its topic, and a pipeline takes its types from it.
 */
import type { Static, TObject } from "typebox";
import type { TopicName } from "../topics.ts";

export type DataClassification = "public" | "internal" | "confidential" | "personal";

export interface EventDefinition<Type extends string = string, Schema extends TObject = TObject> {
  /** The CloudEvents `type`, past tense, dot-separated: `flight.departed`. */
  readonly type: Type;
  /** The topic its events are written to. Types that are correlated share one. */
  readonly topic: TopicName;
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

/** Makes a catalogue entry; the type parameters keep its name and its schema exact. */
export function defineEvent<const Type extends string, Schema extends TObject>(
  definition: EventDefinition<Type, Schema>,
): EventDefinition<Type, Schema> {
  return definition;
}

/** The `data` of an entry's events. */
export type DataOf<D> = D extends EventDefinition<string, infer Schema> ? Static<Schema> : never;
