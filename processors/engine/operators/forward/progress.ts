/**
 * What a task that forwards has told the tasks downstream of how far it has come (design, section 4, rule 3), and when
 * it tells more: at most once a second of arrival, or every so many records. Both are properties of the records, so
 * that what it writes depends on neither batches nor checkpoints.
 */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";

const INTERVAL_MS = 1_000;

export class Progress {
  readonly #maxRecords: number;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #idle = false;
  /** Records since it told last, and the arrival of the record at which it did. */
  #records = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  /**
   * Whether to tell now.
   * @param arrivalMs of the event's record; null after a tick or a watermark record, which are told at once
   * @param waiting whether there is something to tell besides the watermark
   */
  isDue(watermarkMs: number, idle: boolean, arrivalMs: number | null, waiting: boolean): boolean {
    if (idle !== this.#idle) return true;
    if (arrivalMs !== null) {
      this.#records += 1;
      if (this.#records < this.#maxRecords && arrivalMs < this.#toldMs + INTERVAL_MS) return false;
    }
    return waiting || watermarkMs > this.#watermarkMs;
  }

  told(watermarkMs: number, idle: boolean, arrivalMs: number | null): void {
    this.#watermarkMs = watermarkMs;
    this.#idle = idle;
    this.#records = 0;
    if (arrivalMs !== null) this.#toldMs = arrivalMs;
  }

  write(writer: ByteWriter): void {
    writer.float64(this.#watermarkMs);
    writer.varint(this.#idle ? 1 : 0);
    writer.varint(this.#records);
    writer.float64(this.#toldMs);
  }

  read(reader: ByteReader): void {
    this.#watermarkMs = reader.float64();
    this.#idle = reader.varint() === 1;
    this.#records = reader.varint();
    this.#toldMs = reader.float64();
  }
}
