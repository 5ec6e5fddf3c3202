import type { Batch, IHeaders, KafkaMessage } from "kafkajs";
import type { RecordBatch } from "../engine/log/port.ts";

type Fetched = Pick<Batch, "topic" | "partition" | "highWatermark">;

/**
 * One fetched batch of kafkajs behind the engine's accessors. kafkajs has decoded it into message objects already;
 * what it leaves as text (offsets, timestamps) is parsed when it is asked for.
 */
export class KafkaBatch implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  readonly highWatermark: number;
  readonly nextOffset: number;
  readonly #messages: readonly KafkaMessage[];

  private constructor({ topic, partition, highWatermark }: Fetched, last: string, messages: KafkaMessage[]) {
    this.topic = topic;
    this.partition = partition;
    this.count = messages.length;
    this.highWatermark = Number(highWatermark);
    this.nextOffset = Number(last) + 1;
    this.#messages = messages;
  }

  static of(batch: Batch): KafkaBatch {
    return new KafkaBatch(batch, batch.lastOffset(), batch.messages);
  }

  /** What was fetched holds only commit markers and aborted records: nothing but how far it reached. */
  static withoutRecords(fetched: Fetched & { readonly lastOffset: string }): KafkaBatch {
    return new KafkaBatch(fetched, fetched.lastOffset, []);
  }

  offset(index: number): number {
    return Number(this.#messages[index]!.offset);
  }

  arrivalMs(index: number): number {
    return Number(this.#messages[index]!.timestamp);
  }

  key(index: number): Uint8Array | null {
    return this.#messages[index]!.key;
  }

  value(index: number): Uint8Array | null {
    return this.#messages[index]!.value;
  }

  header(index: number, name: string): string | undefined {
    return lastText(this.#messages[index]!.headers?.[name]);
  }
}

function lastText(value: IHeaders[string] | null): string | undefined {
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last?.toString();
}
