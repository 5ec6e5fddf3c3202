import type { Batch } from "kafkajs";
import { FetchedBatch } from "../../runtime/fetched-batch.ts";
import { RecordReader } from "../../runtime/record-reader.ts";
import type { RecordBatch } from "../engine/log/port.ts";

type Fetched = Pick<Batch, "topic" | "partition" | "highWatermark">;

/** What kafkajs hands to a consumer that was started by `withRecordBatches` (runtime/fetch-decoding.ts). */
export type FetchedBatches = Fetched & {
  /** Where the fetch began, which may be within its first batch. */
  readonly fetchedOffset: string;
  readonly messages: readonly unknown[];
  lastOffset(): string;
};

/** Of a record, one after the other: where its key and its value begin and end, and where its headers begin. */
const KEY_START = 0;
const KEY_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const HEADERS_AT = 4;
const PLACES = 5;

/** One fetch of a partition behind the engine's accessors. What a record holds is found once, and read where it lies. */
export class KafkaBatch implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: number;
  readonly nextOffset: number;
  readonly #batches: readonly FetchedBatch[];
  /** Of each record, the batch it is in. */
  readonly #batchOf: Uint32Array;
  readonly #offsets: Float64Array;
  readonly #arrivalsMs: Float64Array;
  readonly #places: Int32Array;
  #count = 0;

  private constructor(fetched: Fetched, lastOffset: string, batches: readonly FetchedBatch[]) {
    this.topic = fetched.topic;
    this.partition = fetched.partition;
    this.highWatermark = Number(fetched.highWatermark);
    this.nextOffset = Number(lastOffset) + 1;
    this.#batches = batches;
    const records = batches.reduce((sum, { count }) => sum + count, 0);
    this.#batchOf = new Uint32Array(records);
    this.#offsets = new Float64Array(records);
    this.#arrivalsMs = new Float64Array(records);
    this.#places = new Int32Array(records * PLACES);
  }

  /** @throws where the consumer was started in another way, or a record is not whole */
  static of(fetched: FetchedBatches): KafkaBatch {
    const batches = fetched.messages.map(requireFetchedBatch);
    const made = new KafkaBatch(fetched, fetched.lastOffset(), batches);
    const fromOffset = Number(fetched.fetchedOffset);
    for (let index = 0; index < batches.length; index++) made.#find(index, fromOffset);
    return made;
  }

  /** What was fetched holds only commit markers and aborted records: nothing but how far it reached. */
  static withoutRecords(fetched: Fetched & { readonly lastOffset: string }): KafkaBatch {
    return new KafkaBatch(fetched, fetched.lastOffset, []);
  }

  get count(): number {
    return this.#count;
  }

  offset(index: number): number {
    return this.#offsets[index]!;
  }

  arrivalMs(index: number): number {
    return this.#arrivalsMs[index]!;
  }

  key(index: number): Uint8Array | null {
    const at = index * PLACES;
    return this.#bytes(index, this.#places[at + KEY_START]!, this.#places[at + KEY_END]!);
  }

  value(index: number): Uint8Array | null {
    const at = index * PLACES;
    return this.#bytes(index, this.#places[at + VALUE_START]!, this.#places[at + VALUE_END]!);
  }

  header(index: number, name: string): string | undefined {
    const headersAt = this.#places[index * PLACES + HEADERS_AT]!;
    return new RecordReader(this.#recordsOf(index)).header(headersAt, name);
  }

  #bytes(index: number, start: number, end: number): Uint8Array | null {
    return end < 0 ? null : this.#recordsOf(index).subarray(start, end);
  }

  #recordsOf(index: number): Buffer {
    return this.#batches[this.#batchOf[index]!]!.records;
  }

  /** Finds the records of a batch, but for those from before the offset that was asked for. */
  #find(batchIndex: number, fromOffset: number): void {
    const { baseOffset, firstTimestampMs, appendedMs, count, records } = this.#batches[batchIndex]!;
    const reader = new RecordReader(records);
    for (let left = count; left > 0; left--) {
      reader.next();
      const offset = baseOffset + reader.offsetDelta;
      if (offset < fromOffset) continue;
      const index = this.#count++;
      const at = index * PLACES;
      this.#batchOf[index] = batchIndex;
      this.#offsets[index] = offset;
      this.#arrivalsMs[index] = appendedMs ?? firstTimestampMs + reader.timestampDelta;
      this.#places[at + KEY_START] = reader.keyStart;
      this.#places[at + KEY_END] = reader.keyEnd;
      this.#places[at + VALUE_START] = reader.valueStart;
      this.#places[at + VALUE_END] = reader.valueEnd;
      this.#places[at + HEADERS_AT] = reader.headersAt;
    }
  }
}

function requireFetchedBatch(message: unknown): FetchedBatch {
  if (message instanceof FetchedBatch) return message;
  throw new Error("kafkajs decoded this fetch itself; its consumer must be started by withRecordBatches");
}
