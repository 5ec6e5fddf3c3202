/** Steps through the records of a record batch, and tells where the parts of each lie; it copies nothing. */

const CONTINUES = 0x80;
const LOW_BITS = 0x7f;
const SMALL_BYTES = 4;

export class RecordReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** Of the record that {@link next} reached, as are all that follow. */
  timestampDelta = 0;
  offsetDelta = 0;
  keyStart = 0;
  /** −1: it has none. */
  keyEnd = 0;
  valueStart = 0;
  /** −1: it has none. */
  valueEnd = 0;
  headersAt = 0;

  /** @param bytes records, from the beginning of one */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws RangeError where the bytes end before the record does */
  next(): void {
    const length = this.#varint();
    const end = this.#position + length;
    // One byte of attributes, which are not in use.
    this.#position += 1;
    this.timestampDelta = this.#varint();
    this.offsetDelta = this.#varint();
    const keyBytes = this.#varint();
    this.keyStart = this.#position;
    this.keyEnd = keyBytes < 0 ? -1 : this.#skip(keyBytes);
    const valueBytes = this.#varint();
    this.valueStart = this.#position;
    this.valueEnd = valueBytes < 0 ? -1 : this.#skip(valueBytes);
    this.headersAt = this.#position;
    // Written so that a length of NaN is refused as well.
    if (!(this.#position <= end && end <= this.#bytes.length)) {
      throw new RangeError("a record reaches beyond the end of its batch");
    }
    this.#position = end;
  }

  /**
   * The value of a header of the record whose headers begin at `headersAt`, the last one where it is repeated; undefined
   * where it is absent or null.
   */
  header(headersAt: number, name: string): string | undefined {
    const resumeAt = this.#position;
    this.#position = headersAt;
    let found: string | undefined;
    for (let left = this.#varint(); left > 0; left--) {
      const isWanted = this.#text(this.#varint()) === name;
      const valueBytes = this.#varint();
      const value = valueBytes < 0 ? undefined : this.#text(valueBytes);
      if (isWanted) found = value;
    }
    this.#position = resumeAt;
    return found;
  }

  #text(bytes: number): string {
    const start = this.#position;
    return Buffer.from(
      this.#bytes.buffer,
      this.#bytes.byteOffset + start,
      this.#skip(bytes) - start,
    ).toString();
  }

  #skip(bytes: number): number {
    this.#position += bytes;
    return this.#position;
  }

  /** A whole number in zigzag form, seven bits a byte, the lowest first. */
  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#position++]!;
    if (byte < CONTINUES) return (byte >>> 1) ^ -(byte & 1);
    let raw = byte & LOW_BITS;
    for (let index = 1; index < SMALL_BYTES; index++) {
      byte = bytes[this.#position++]!;
      raw |= (byte & LOW_BITS) << (7 * index);
      if (byte < CONTINUES) return (raw >>> 1) ^ -(raw & 1);
    }
    return this.#large(raw);
  }

  /** Beyond 28 bits, where JavaScript's operators on bits would soon end. */
  #large(low: number): number {
    let raw = low;
    for (let scale = 2 ** (7 * SMALL_BYTES); ; scale *= 2 ** 7) {
      const byte = this.#bytes[this.#position++]!;
      raw += (byte & LOW_BITS) * scale;
      if (!(byte >= CONTINUES)) break;
    }
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }
}
