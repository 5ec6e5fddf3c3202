/** What a task has written since its last checkpoint: results, late events and dead letters, as records to send. */
import {
  type DeadLetterContent,
  type DeadLetterReason,
  deadLetterHeaders,
  lateHeaders,
} from "../../../contracts/dead-letter.ts";
import {
  maxEnvelopeMessageBytes,
  maxKeyBytes,
  maxMessageBytes,
  maxResultBytes,
} from "../../../contracts/limits.ts";
import { PRODUCER_HEADER } from "../../../contracts/producers.ts";
import type { ResultRecord, ResultVersion } from "../../../contracts/results.ts";
import { DEAD_LETTERS_TOPIC, lateTopic, resultsTopic } from "../../../contracts/topics.ts";
import { TRACEPARENT } from "../../../contracts/traceparent.ts";
import type { OutputRecord, RecordBatch } from "../log/port.ts";
import type { Counters } from "../state/task-state.ts";
import { type Announcement, announcementHeaders } from "./announcement.ts";

/** Details end up in a Kafka header; a sentence is enough, and an error message may be any length. */
const MAX_DETAIL_CHARS = 200;

/** Base64 text, which must go into a message of `maxEnvelopeMessageBytes` together with its headers. */
const MAX_DEAD_STATE_CHARS = maxMessageBytes;

/**
 * Key and value of a late event or a dead letter: what a message of their topics holds, less room for headers and the
 * batch. No topic of the catalogue carries more; a record of one that was made otherwise must not stop its partition.
 */
const MAX_COPIED_BYTES = maxEnvelopeMessageBytes - 16 * 1024;

/** What is kept of a value beyond that: the record itself is where the headers say, as long as its topic keeps it. */
const EXCERPT_BYTES = 64 * 1024;

const MAX_PASSED_ON_CHARS = 2_048;

const NO_HEADERS = {};

export type Emitted = Pick<ResultRecord, "key" | "window" | "revision" | "pane"> & {
  readonly value: unknown;
};
export type Retracted = Pick<ResultRecord, "key" | "window" | "revision">;

/** What is known of a pane whose result could not be made. */
export interface DeadPane {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number } | null;
  /** The state as it would be in a snapshot, base64. */
  readonly state: string;
}

export class Outbox {
  readonly #pipeline: string;
  readonly #counters: Pick<Counters, "results">;
  readonly #generation: number;
  readonly #resultsTopics = new Map<string, string>();
  readonly #lateTopic: string;
  #records: OutputRecord[] = [];
  #bytes = 0;
  /** The number that the next checkpoint will have; part of every result's version. */
  checkpoint: number;

  constructor(pipeline: string, generation: number, checkpoint: number, counters: Pick<Counters, "results">) {
    this.#counters = counters;
    this.#pipeline = pipeline;
    this.#generation = generation;
    this.checkpoint = checkpoint;
    this.#lateTopic = lateTopic(pipeline);
  }

  /** Approximate size of what is held, in bytes: what bounds a transaction and the memory until it commits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is held, in the order in which it was written. */
  get records(): readonly OutputRecord[] {
    return this.#records;
  }

  /** The version that the next output will have. */
  get #nextVersion(): ResultVersion {
    return { generation: this.#generation, checkpoint: this.checkpoint, index: this.#records.length };
  }

  /**
   * Writes a result.
   * @param series the pipeline's name, or `<pipeline>.<branch>`
   * @throws where the value is not JSON, or too large for the results table
   */
  result(series: string, result: Emitted, keyBytes: Uint8Array): void {
    const { key, window, value, revision, pane } = result;
    this.#series(keyBytes, {
      kind: "result",
      pipeline: series,
      key,
      window,
      value,
      revision,
      ...(pane === undefined ? {} : { pane }),
      version: this.#nextVersion,
    });
    this.#counters.results += 1;
  }

  /** Takes a result back: its window is no more. */
  retract(series: string, { key, window, revision }: Retracted, keyBytes: Uint8Array): void {
    const version = this.#nextVersion;
    this.#series(keyBytes, {
      kind: "retract",
      pipeline: series,
      key,
      window,
      value: null,
      revision,
      version,
    });
  }

  /** Sends an element on to the stage downstream; its key says to which partition. */
  forward(topic: string, key: Uint8Array, value: Uint8Array): void {
    this.#push({ topic, key, value, headers: NO_HEADERS });
  }

  /** Tells every task downstream how far this one has come. */
  announce(topic: string, partitions: number, announcement: Announcement): void {
    const headers = announcementHeaders(announcement);
    for (let partition = 0; partition < partitions; partition++) {
      this.#push({ topic, partition, key: null, value: null, headers });
    }
  }

  late(batch: RecordBatch, index: number, lateByMs: number): void {
    const { key, value, excerpt } = copyOf(batch, index);
    const headers = {
      ...(excerpt ? excerptHeaders(batch, index) : {}),
      [lateHeaders.pipeline]: this.#pipeline,
      [lateHeaders.topic]: batch.topic,
      [lateHeaders.partition]: String(batch.partition),
      [lateHeaders.offset]: String(batch.offset(index)),
      [lateHeaders.lateByMs]: String(lateByMs),
      ...passedOn(batch, index),
    };
    this.#push({ topic: this.#lateTopic, key, value, headers });
  }

  deadRecord(batch: RecordBatch, index: number, reason: DeadLetterReason, detail: string): void {
    const { key, value, excerpt } = copyOf(batch, index);
    const headers = {
      ...this.#deadHeaders(reason, detail, excerpt ? "excerpt" : "record"),
      ...(excerpt ? excerptHeaders(batch, index) : {}),
      [deadLetterHeaders.topic]: batch.topic,
      [deadLetterHeaders.partition]: String(batch.partition),
      [deadLetterHeaders.offset]: String(batch.offset(index)),
      ...passedOn(batch, index),
    };
    this.#push({ topic: DEAD_LETTERS_TOPIC, key, value, headers });
  }

  /** A pane whose result could not be made: what was known of it, as JSON; without its state where that is too large. */
  deadPane(series: string, { key, window, state }: DeadPane, detail: string): void {
    const kept = state.length <= MAX_DEAD_STATE_CHARS ? { state } : { state: null, stateChars: state.length };
    const value = Buffer.from(JSON.stringify({ pipeline: series, key, window, ...kept }));
    const headers = this.#deadHeaders("user-code-failed", detail, "pane");
    this.#push({ topic: DEAD_LETTERS_TOPIC, key: Buffer.from(key), value, headers });
  }

  /** Hands over everything and starts the next checkpoint's outputs. */
  take(): OutputRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    this.checkpoint += 1;
    return records;
  }

  #series(key: Uint8Array, record: ResultRecord): void {
    let topic = this.#resultsTopics.get(record.pipeline);
    if (topic === undefined) {
      topic = resultsTopic(record.pipeline);
      this.#resultsTopics.set(record.pipeline, topic);
    }
    const value = Buffer.from(JSON.stringify(record));
    if (value.length > maxResultBytes) {
      throw new RangeError(`the result is ${value.length} bytes; the limit is ${maxResultBytes}`);
    }
    this.#push({ topic, key, value, headers: NO_HEADERS });
  }

  #deadHeaders(reason: DeadLetterReason, detail: string, content: DeadLetterContent): Record<string, string> {
    return {
      [deadLetterHeaders.reason]: reason,
      [deadLetterHeaders.detail]: detail.slice(0, MAX_DETAIL_CHARS),
      [deadLetterHeaders.stage]: this.#pipeline,
      [deadLetterHeaders.content]: content,
    };
  }

  #push(record: OutputRecord): void {
    this.#records.push(record);
    this.#bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0) + 64;
  }
}

interface Copy {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Whether it is not all of the record. */
  readonly excerpt: boolean;
}

/** A batch's bytes are views of the whole answer they were fetched in; a single late event would keep it in memory. */
function copyOf(batch: RecordBatch, index: number): Copy {
  const key = batch.key(index);
  const value = batch.value(index);
  if ((key?.length ?? 0) + (value?.length ?? 0) <= MAX_COPIED_BYTES) {
    return { key: key && new Uint8Array(key), value: value && new Uint8Array(value), excerpt: false };
  }
  const ownKey = key !== null && key.length <= maxKeyBytes ? new Uint8Array(key) : null;
  return { key: ownKey, value: value && new Uint8Array(value.subarray(0, EXCERPT_BYTES)), excerpt: true };
}

/** Who sent the record, and the trace context that it came with: what a redrive gives back to it. */
function passedOn(batch: RecordBatch, index: number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of [PRODUCER_HEADER, TRACEPARENT]) {
    const value = batch.header(index, name);
    // The door writes nothing longer; what came past it must not make the letter too large.
    if (value !== undefined && value.length <= MAX_PASSED_ON_CHARS) headers[name] = value;
  }
  return headers;
}

const excerptHeaders = (batch: RecordBatch, index: number): Record<string, string> => ({
  [deadLetterHeaders.valueBytes]: String(batch.value(index)?.length ?? 0),
});
