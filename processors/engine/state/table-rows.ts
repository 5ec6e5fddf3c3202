/**
 * The rows of a table: the newest value of each key of a compacted topic. A snapshot keeps their bytes; whoever looks
 * a row up gets what they decode to, decoded once.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { KeyedStore } from "./keyed-store.ts";

interface TableRow {
  readonly bytes: Uint8Array;
  /** Undefined until it is looked up, where it came from a snapshot. */
  row: unknown;
}

export class TableRows {
  readonly #decode: (value: Uint8Array) => unknown;
  readonly #rows = new KeyedStore<TableRow>({
    write: (writer, { bytes }) => writer.bytes(bytes),
    // A copy: a view would keep the whole snapshot in memory.
    read: (reader) => ({ bytes: new Uint8Array(reader.bytes()), row: undefined }),
  });

  constructor(decode: (value: Uint8Array) => unknown) {
    this.#decode = decode;
  }

  get size(): number {
    return this.#rows.size;
  }

  has(key: string): boolean {
    return this.#rows.get(key) !== undefined;
  }

  /** @throws whatever decoding throws: code that was changed since the row was taken */
  get(key: string): unknown {
    const entry = this.#rows.get(key);
    if (entry === undefined) return undefined;
    entry.row ??= this.#decode(entry.bytes);
    return entry.row;
  }

  set(key: string, bytes: Uint8Array, row: unknown): void {
    this.#rows.set(key, { bytes: new Uint8Array(bytes), row });
  }

  delete(key: string): void {
    this.#rows.delete(key);
  }

  writeBase(writer: ByteWriter): void {
    this.#rows.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.#rows.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.#rows.readBase(reader);
  }

  readDelta(reader: ByteReader): void {
    this.#rows.readDelta(reader);
  }
}
