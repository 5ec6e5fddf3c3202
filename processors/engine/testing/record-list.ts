/** Records from plain objects as a batch of one partition. */
import type { RecordBatch } from "../log/port.ts";

export interface ListedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly arrivalMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

export class RecordList implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly #firstOffset: number;
  readonly #records: readonly ListedRecord[];

  constructor(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    firstOffset: number,
    records: readonly ListedRecord[],
  ) {
    this.topic = topic;
    this.partition = partition;
    this.#firstOffset = firstOffset;
    this.#records = records;
  }

  get count(): number {
    return this.#records.length;
  }

  get nextOffset(): number {
    return this.#firstOffset + this.count;
  }

  get highWatermark(): number {
    return this.nextOffset;
  }

  offset(index: number): number {
    return this.#firstOffset + index;
  }

  arrivalMs(index: number): number {
    return this.#records[index]!.arrivalMs;
  }

  key(index: number): Uint8Array | null {
    return this.#records[index]!.key;
  }

  value(index: number): Uint8Array | null {
    return this.#records[index]!.value;
  }

  header(index: number, name: string): string | undefined {
    const { headers } = this.#records[index]!;
    return Object.hasOwn(headers, name) ? headers[name] : undefined;
  }
}
