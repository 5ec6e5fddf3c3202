/**
 * Kafka's record batches (format 2, https://kafka.apache.org/documentation/#recordbatch) as an answer to a fetch brings
 * them: read as far as to tell them apart. Their records stay bytes until somebody asks for them.
 */
import compression from "kafkajs/src/protocol/message/compression/index.js";
import { RecordReader } from "./record-reader.ts";

/** Bytes of a batch before its records. */
const HEAD_BYTES = 61;
/** Bytes of the two fields before those that its length counts. */
const LENGTH_END = 12;
/** From the batch's beginning. */
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const COUNT_AT = 57;

const MAGIC = 2;
/** Of its attributes. */
const LOG_APPEND_TIME = 8;
const TRANSACTIONAL = 16;
const CONTROL = 32;

/** What kafkajs compares and leaves out is called as its messages call it: to kafkajs a whole batch is one of them. */
export class FetchedBatch {
  /** Of its last record, also where that was compacted away. */
  readonly offset: string;
  /** kafkajs hands no such batch out: transactions' markers, and what was aborted. */
  isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  readonly baseOffset: number;
  /** What records' own times are counted from. */
  readonly firstTimestampMs: number;
  /** When the broker took all of it in; null where each record has the time that its producer gave it. */
  readonly appendedMs: number | null;
  /** How many records there are. */
  readonly count: number;
  /** The records, one after the other. */
  readonly records: Buffer;

  private constructor(head: Buffer, records: Buffer) {
    const attributes = head.readInt16BE(ATTRIBUTES_AT);
    this.baseOffset = Number(head.readBigInt64BE(0));
    this.offset = String(this.baseOffset + head.readInt32BE(LAST_OFFSET_DELTA_AT));
    this.isControlRecord = (attributes & CONTROL) !== 0;
    this.batchContext = {
      producerId: head.readBigInt64BE(PRODUCER_ID_AT).toString(),
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
    };
    this.firstTimestampMs = Number(head.readBigInt64BE(FIRST_TIMESTAMP_AT));
    this.appendedMs =
      (attributes & LOG_APPEND_TIME) === 0 ? null : Number(head.readBigInt64BE(MAX_TIMESTAMP_AT));
    this.count = head.readInt32BE(COUNT_AT);
    this.records = records;
  }

  /**
   * All batches of a partition's bytes. The last one may be cut off, as a fetch is limited in bytes, and is left out.
   * @throws where they are of a format from before Kafka 0.11, or compressed in a way that kafkajs has no codec for
   */
  static async all(bytes: Buffer): Promise<FetchedBatch[]> {
    const batches: FetchedBatch[] = [];
    for (let at = 0; bytes.length - at >= HEAD_BYTES; ) {
      const end = at + LENGTH_END + bytes.readInt32BE(at + LENGTH_AT);
      if (end > bytes.length) break;
      const batch = bytes.subarray(at, end);
      const magic = batch[MAGIC_AT];
      if (magic !== MAGIC) {
        throw new Error(
          `a record batch has format ${magic}, which brokers before 0.11 wrote; only format 2 is read`,
        );
      }
      const codec = compression.lookupCodecByAttributes(batch.readInt16BE(ATTRIBUTES_AT));
      const records = batch.subarray(HEAD_BYTES);
      batches.push(new FetchedBatch(batch, codec === null ? records : await codec.decompress(records)));
      at = end;
    }
    return batches;
  }

  /** The key of the first record: what a control batch says. */
  get key(): Buffer | null {
    if (this.count === 0) return null;
    const reader = new RecordReader(this.records);
    reader.next();
    return reader.keyEnd < 0 ? null : this.records.subarray(reader.keyStart, reader.keyEnd);
  }
}
