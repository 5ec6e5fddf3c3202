/**
 * The lines of a file, in chunks: a line is what lies between two line feeds, without a carriage return at its end.
 * Empty lines are passed over. Bytes are handed out as views, and each chunk is a buffer of its own.
 */
import { readSync } from "node:fs";

const CHUNK_BYTES = 1 << 20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Consecutive lines of one chunk: line i is `bytes[starts[i]]` up to, without, `bytes[ends[i]]`. */
export interface Lines {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Where a reader is: what it takes to go on from there. */
export interface Position {
  /** Bytes of the file up to here. */
  readonly byteOffset: number;
  /** Lines up to here, without empty ones. */
  readonly lines: number;
  readonly emptyLines: number;
}

export class LineReader {
  readonly #file: number;
  /** The chunk, from its first byte that was not handed out as a line when the chunk was filled. */
  #bytes = Buffer.alloc(0);
  /** Offset in the file of the chunk's first byte. */
  #chunkOffset = 0;
  /** Index in the chunk of the next line's first byte. */
  #at = 0;
  #lines = 0;
  #emptyLines = 0;

  /** @param file descriptor of a regular file, open for reading; the caller closes it */
  constructor(file: number) {
    this.#file = file;
  }

  get position(): Position {
    return {
      byteOffset: this.#chunkOffset + this.#at,
      lines: this.#lines,
      emptyLines: this.#emptyLines,
    };
  }

  /** Goes back, or forward, to where a reader of the same file was. */
  seek({ byteOffset, lines, emptyLines }: Position): void {
    this.#bytes = Buffer.alloc(0);
    this.#chunkOffset = byteOffset;
    this.#at = 0;
    this.#lines = lines;
    this.#emptyLines = emptyLines;
  }

  /** The next lines, from one to `maxLines` of them; none at the end of the file. */
  next(maxLines: number): Lines {
    const starts: number[] = [];
    const ends: number[] = [];
    let scanFrom = this.#at;
    while (starts.length < maxLines) {
      const feed = this.#bytes.indexOf(LINE_FEED, scanFrom);
      if (feed >= 0) {
        this.#take(starts, ends, feed);
        this.#at = feed + 1;
        scanFrom = this.#at;
        continue;
      }
      // Lines that were found already are views of this chunk.
      if (starts.length > 0) break;
      const partial = this.#bytes.length - this.#at;
      if (!this.#fill()) {
        this.#take(starts, ends, this.#bytes.length);
        this.#at = this.#bytes.length;
        break;
      }
      scanFrom = partial;
    }
    this.#lines += starts.length;
    return { bytes: this.#bytes, starts, ends };
  }

  /** Takes the line that ends before `feed`: a line feed, or the end of the file. */
  #take(starts: number[], ends: number[], feed: number): void {
    const start = this.#at;
    const returned = feed > start && feed < this.#bytes.length && this.#bytes[feed - 1] === CARRIAGE_RETURN;
    const end = returned ? feed - 1 : feed;
    if (end > start) {
      starts.push(start);
      ends.push(end);
    } else if (feed < this.#bytes.length) {
      this.#emptyLines += 1;
    }
  }

  /** Makes the next chunk, beginning with the line that the last one did not hold whole; false at the file's end. */
  #fill(): boolean {
    const rest = this.#bytes.subarray(this.#at);
    const chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * rest.length));
    rest.copy(chunk);
    const offset = this.#chunkOffset + this.#at;
    const read = readSync(this.#file, chunk, rest.length, chunk.length - rest.length, offset + rest.length);
    if (read === 0) return false;
    this.#bytes = chunk.subarray(0, rest.length + read);
    this.#chunkOffset = offset;
    this.#at = 0;
    return true;
  }
}
