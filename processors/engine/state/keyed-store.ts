/**
 * A value for each key, with a note of which changed since the last cut. Values are replaced, never changed in
 * place: what a cut wrote down stays what it was.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";

export interface ValueCodec<Value> {
  write(writer: ByteWriter, value: Value): void;
  read(reader: ByteReader): Value;
}

export class KeyedStore<Value> {
  readonly #codec: ValueCodec<Value>;
  readonly #values = new Map<string, Value>();
  readonly #dirty = new Set<string>();

  constructor(codec: ValueCodec<Value>) {
    this.#codec = codec;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.set(key, value);
    this.#dirty.add(key);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#dirty.add(key);
  }

  /** Every key with its value. The order is not part of the state: nothing may depend on it. */
  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }

  writeBase(writer: ByteWriter): void {
    writer.varint(this.#values.size);
    for (const [key, value] of this.#values) {
      writer.text(key);
      this.#codec.write(writer, value);
    }
    this.#dirty.clear();
  }

  writeDelta(writer: ByteWriter): void {
    writer.varint(this.#dirty.size);
    for (const key of this.#dirty) {
      const value = this.#values.get(key);
      writer.text(key);
      writer.varint(value === undefined ? 0 : 1);
      if (value !== undefined) this.#codec.write(writer, value);
    }
    this.#dirty.clear();
  }

  /** @param codec how whoever wrote it wrote a value; default: as today */
  readBase(reader: ByteReader, codec: ValueCodec<Value> = this.#codec): void {
    for (let count = reader.varint(); count > 0; count--) this.#values.set(reader.text(), codec.read(reader));
  }

  readDelta(reader: ByteReader, codec: ValueCodec<Value> = this.#codec): void {
    for (let count = reader.varint(); count > 0; count--) {
      const key = reader.text();
      if (reader.varint() === 1) this.#values.set(key, codec.read(reader));
      else this.#values.delete(key);
    }
  }
}
