/** Who may send what to the HTTP door, and how a record says who sent it. */

/**
 * Kafka header of an event: who sent it, as the door has established it. It is no attribute of the event, which a
 * sender writes itself.
 */
export const PRODUCER_HEADER = "spillway-producer";

/** Types that the producer of each Kinesis door may send, by its name. */
export type DoorRules = Readonly<Record<string, readonly string[]>>;

export interface ProducerRule {
  /** ARN of an IAM role or user, without a path: `arn:aws:iam::111111111111:role/airline`. */
  readonly principal: string;
  /** Types of the catalogue that it may send. */
  readonly eventTypes: readonly string[] | "any";
  /** How many events it may send a second. @default the environment's `ingest.producerEventsPerSecond` */
  readonly eventsPerSecond?: number;
}

/** How many events who has tokens of a subject may send a second; which types, its tokens' scopes say. */
export interface SubjectLimit {
  /** The token's `sub`, or its `client_id` where it has none. */
  readonly subject: string;
  readonly eventsPerSecond: number;
}
