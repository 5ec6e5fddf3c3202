/** Lines of a file as a batch of records of one partition. */
import { WATERMARK_HEADER } from "../../contracts/dead-letter.ts";
import type { RecordBatch } from "../../processors/engine/log/port.ts";

/** The latest time that an event may have (see event-time.ts of the engine). */
const LATEST_EVENT_MS = 4_320_000_000_000_000;

/**
 * A file has no arrivals. So that no event is refused for being ahead of its own, all come later than any event can be;
 * and a second apart, so that a stage tells the next one how far it has come after each line.
 */
export const arrivalOf = (line: number): number => LATEST_EVENT_MS + line * 1_000;

export class LineBatch implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly #firstOffset: number;
  readonly #bytes: Buffer;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Number of each record's line. */
  readonly #lines: number[] = [];
  readonly #onRecord: (line: number) => void;

  /**
   * @param bytes the chunk whose lines it takes
   * @param onRecord called with a record's line number when the task comes to it: a task asks for a record's offset
   *   before anything else
   */
  constructor(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    firstOffset: number,
    bytes: Buffer,
    onRecord: (line: number) => void,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.#firstOffset = firstOffset;
    this.#bytes = bytes;
    this.#onRecord = onRecord;
  }

  get count(): number {
    return this.#lines.length;
  }

  get nextOffset(): number {
    return this.#firstOffset + this.count;
  }

  get highWatermark(): number {
    return this.nextOffset;
  }

  add(line: number, start: number, end: number): void {
    this.#lines.push(line);
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** Adds an in-band watermark record. */
  addWatermark(line: number, watermarkMs: number): void {
    this.add(line, watermarkMs, WATERMARK);
  }

  offset(index: number): number {
    this.#onRecord(this.#lines[index]!);
    return this.#firstOffset + index;
  }

  arrivalMs(index: number): number {
    return arrivalOf(this.#lines[index]!);
  }

  key(): null {
    return null;
  }

  value(index: number): Uint8Array | null {
    const end = this.#ends[index]!;
    return end === WATERMARK ? null : this.#bytes.subarray(this.#starts[index], end);
  }

  header(index: number, name: string): string | undefined {
    if (this.#ends[index] !== WATERMARK || name !== WATERMARK_HEADER) return undefined;
    return String(this.#starts[index]);
  }
}

/** In place of a line's end: the record is a watermark, and where a line would start is its time. */
const WATERMARK = -1;
