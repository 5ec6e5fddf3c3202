/**
 * A value for each key, with a note of which changed since the last cut. A cut writes values down as bytes at once, so
 * that a value may also be changed in place, where that is noted ({@link KeyedStore.touch}).
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";

export interface ValueCodec<Value> {
  write(writer: ByteWriter, value: Value): void;
  read(reader: ByteReader, key: string): Value;
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

  /** Notes that the key's value was changed in place. */
  touch(key: string): void {
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
    for (let count = reader.varint(); count > 0; count--) {
      const key = reader.text();
      this.#values.set(key, codec.read(reader, key));
    }
  }

  readDelta(reader: ByteReader, codec: ValueCodec<Value> = this.#codec): void {
    for (let count = reader.varint(); count > 0; count--) {
      const key = reader.text();
      if (reader.varint() === 1) this.#values.set(key, codec.read(reader, key));
      else this.#values.delete(key);
    }
  }
}
