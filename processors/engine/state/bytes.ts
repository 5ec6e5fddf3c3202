/**
 * Reading and writing the snapshot's primitive values: little-endian, unsigned LEB128 varints for counts and
 * offsets, IEEE 754 for numbers (so NaN, -0 and infinities survive), and length-prefixed UTF-8.
 */

const INITIAL_BYTES = 64 * 1024;
/** Texts whose length takes one byte. */
const SHORT_CHARS = 64;
const MAX_ASCII = 0x7f;

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  text(value: string): void {
    if (value.length <= SHORT_CHARS && this.#shortAscii(value)) return;
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** Writes what most keys are without asking Node twice; false, and nothing written, where it is not ASCII. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const bytes = this.#bytes;
    const start = this.#length + 1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > MAX_ASCII) return false;
      bytes[start + i] = code;
    }
    bytes[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#append(value);
  }

  /** A value that may be null: a zero varint for null, else its length plus one. */
  nullableBytes(value: Uint8Array | null): void {
    this.varint(value === null ? 0 : value.length + 1);
    if (value !== null) this.#append(value);
  }

  /** What was written so far, as a copy of its exact size. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  #append(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** The bytes end before the value they should hold, or hold what no writer wrote. */
export class CorruptBytesError extends Error {
  override readonly name = "CorruptBytesError";
}

export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#bytes[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new CorruptBytesError(`a varint at byte ${this.#at} is longer than 8 bytes`);
  }

  float64(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  text(): string {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  bytes(): Uint8Array {
    return this.#slice(this.varint());
  }

  nullableBytes(): Uint8Array | null {
    const length = this.varint();
    return length === 0 ? null : this.#slice(length - 1);
  }

  #slice(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) {
      throw new CorruptBytesError(`${this.#bytes.length} bytes end before byte ${start + length}`);
    }
    this.#at = start + length;
    return start;
  }
}
