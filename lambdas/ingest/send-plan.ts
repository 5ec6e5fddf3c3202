/** Which events go into one kafkajs send, so that as few sends as its limits allow carry a request. */
import { maxMessageBytes } from "../../contracts/limits.ts";
import { partitionOf } from "../../contracts/partitioning.ts";

/** An accepted event on its way to Kafka. */
export interface OutgoingEvent {
  readonly topic: string;
  readonly key: Buffer;
  /** The event as structured JSON. */
  readonly value: Buffer;
}

export interface PlannedMessage {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly partition: number;
  readonly headers: Record<string, string>;
}

export interface PlannedSend {
  /** What the send carries, by topic. */
  readonly messages: ReadonlyMap<string, PlannedMessage[]>;
  /** What it could not carry, in its order. */
  readonly rest: readonly OutgoingEvent[];
}

/** CloudEvents' Kafka binding 1.0.2, section 3.3.1: the header that says that the value is a structured event. */
const HEADERS = { "content-type": "application/cloudevents+json; charset=UTF-8" };

/** Room for a record's framing and its header, and for the batch's own header; both are less. */
const RECORD_OVERHEAD_BYTES = 128;
const BATCH_OVERHEAD_BYTES = 128;

/**
 * Fills one send. kafkajs writes all messages of a partition as one batch and never splits it, so each partition
 * takes events until the next would exceed the broker's limit; from there on its events wait for the next send,
 * which keeps their order. The number of messages is bounded by `maxEventsPerRequest` at the door.
 */
export function planSend(
  events: readonly OutgoingEvent[],
  partitionCount: (topic: string) => number,
): PlannedSend {
  const messages = new Map<string, PlannedMessage[]>();
  const rest: OutgoingEvent[] = [];
  const bytesByPartition = new Map<string, number>();
  for (const event of events) {
    const { topic, key, value } = event;
    const partition = partitionOf(key, partitionCount(topic));
    const place = `${topic}/${partition}`;
    const bytes = bytesByPartition.get(place) ?? BATCH_OVERHEAD_BYTES;
    const bytesAfter = bytes + key.length + value.length + RECORD_OVERHEAD_BYTES;
    if (bytesAfter > maxMessageBytes) {
      bytesByPartition.set(place, Number.POSITIVE_INFINITY);
      rest.push(event);
      continue;
    }
    bytesByPartition.set(place, bytesAfter);
    const ofTopic = messages.get(topic);
    const message = { key, value, partition, headers: HEADERS };
    if (ofTopic === undefined) messages.set(topic, [message]);
    else ofTopic.push(message);
  }
  return { messages, rest };
}
