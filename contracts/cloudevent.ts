/** The CloudEvents 1.0 envelope (https://github.com/cloudevents/spec, v1.0.2), as Kafka carries it: structured JSON. */

export const SPEC_VERSION = "1.0";

/** Media types of the HTTP binding's structured and batched modes. */
export const STRUCTURED_MEDIA_TYPE = "application/cloudevents+json";
export const BATCH_MEDIA_TYPE = "application/cloudevents-batch+json";

export interface CloudEvent<Data = unknown> {
  readonly specversion: typeof SPEC_VERSION;
  /** Unique within its source; (source, id) is an event's identity, and what pipelines dedupe by. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** RFC 3339. Spillway requires it: it is the event time. */
  readonly time: string;
  readonly subject?: string;
  readonly datacontenttype?: string;
  /** The partitioning extension (CloudEvents 1.0): the Kafka key; `subject` stands in where it is absent. */
  readonly partitionkey?: string;
  readonly data: Data;
}

/** Headers of an event's Kafka record. CloudEvents' Kafka binding 1.0.2, section 3.3.1: its value is a structured event. */
export const EVENT_HEADERS = { "content-type": "application/cloudevents+json; charset=UTF-8" } as const;
