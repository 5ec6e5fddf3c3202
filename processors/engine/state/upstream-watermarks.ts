/**
 * How far each task of the stage upstream has come, as its watermark records say (design, section 4, rule 3). The
 * slowest of those that are not idle holds the input back; so does one that has not been heard of yet.
 */
import { combinedWatermark } from "../task/watermarks.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

interface UpstreamTask {
  readonly watermarkMs: number;
  readonly idle: boolean;
}

export class UpstreamWatermarks {
  /** How many tasks there are; 0 until the first one speaks, and says so. */
  #count = 0;
  readonly #tasks = new Map<number, UpstreamTask>();

  /** A task says how far it has come, and how many of its kind there are. */
  report(task: number, count: number, heard: UpstreamTask): void {
    this.#count = count;
    this.#tasks.set(task, heard);
  }

  /** Minus infinity until every task was heard of. */
  get watermarkMs(): number {
    return this.#complete ? combinedWatermark([...this.#tasks.values()]) : Number.NEGATIVE_INFINITY;
  }

  /** Whether every task is silent. */
  get idle(): boolean {
    return this.#complete && [...this.#tasks.values()].every(({ idle }) => idle);
  }

  get #complete(): boolean {
    return this.#count > 0 && this.#tasks.size === this.#count;
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#count);
    writer.varint(this.#tasks.size);
    for (const [task, { watermarkMs, idle }] of this.#tasks) {
      writer.varint(task);
      writer.float64(watermarkMs);
      writer.varint(idle ? 1 : 0);
    }
  }

  /** Reads over what is here. */
  read(reader: ByteReader): void {
    this.#count = reader.varint();
    for (let tasks = reader.varint(); tasks > 0; tasks--) {
      const task = reader.varint();
      const watermarkMs = reader.float64();
      this.#tasks.set(task, { watermarkMs, idle: reader.varint() === 1 });
    }
  }
}
