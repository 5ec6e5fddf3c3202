/** Sizes that several stages must agree on. Each hop checks its own, none is larger than the next can hold. */

const KIB = 1024;

/**
 * The largest event, as the structured JSON that is written to Kafka. 512 KiB leaves room for the dead-letter
 * headers under Kafka's message limit below, and for base64 (4/3) under Kinesis' 1 MiB a record.
 */
export const maxEventBytes = 512 * KIB;

/** The largest request body, before and after gunzip. After base64 it still fits Lambda's 6 MB payload. */
export const maxBodyBytes = 4 * KIB * KIB;

/** Events in one request; kafkajs groups messages in quadratic time, 1,000 a send is where that still is small. */
export const maxEventsPerRequest = 1_000;

/** The largest Kafka key, in UTF-8 bytes: it becomes part of a DynamoDB partition key, whose limit is 2,048. */
export const maxKeyBytes = KIB;

/** `max.message.bytes` of the topics that carry events. */
export const maxMessageBytes = KIB * KIB;

/** The largest element that goes on under another key: its topic's limit, less room for its key and the batch. */
export const maxForwardedBytes = maxMessageBytes - 16 * KIB;

/** The largest result, as the JSON of its record: DynamoDB holds 400 KB an item, names and keys included. */
export const maxResultBytes = 384 * KIB;

/**
 * How long a consumer group waits for a member that has gone silent: the shorter it is, the sooner a killed one's work goes
 * on. The shortest that brokers take by default (`group.min.session.timeout.ms`), and what they are told to take.
 */
export const sessionTimeoutMs = 6_000;

/** `max.message.bytes` of topics that carry an event's bytes plus headers: dead letters and late events. */
export const maxEnvelopeMessageBytes = 2 * maxMessageBytes;
