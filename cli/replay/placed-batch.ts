/** Records that are held one by one, as a batch: what a stage forwards to the next, and a table's rows. */
import type { RecordBatch } from "../../processors/engine/log/port.ts";
import { arrivalOf } from "./line-batch.ts";
import type { PlacedOutput } from "./partition.ts";

export class PlacedBatch implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly #firstOffset: number;
  readonly #records: readonly PlacedOutput[];
  readonly #onRecord: (line: number) => void;

  /** @param onRecord as for {@link LineBatch} */
  constructor(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    firstOffset: number,
    records: readonly PlacedOutput[],
    onRecord: (line: number) => void,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.#firstOffset = firstOffset;
    this.#records = records;
    this.#onRecord = onRecord;
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
    this.#onRecord(this.#records[index]!.line);
    return this.#firstOffset + index;
  }

  arrivalMs(index: number): number {
    return arrivalOf(this.#records[index]!.line);
  }

  key(index: number): Uint8Array | null {
    return this.#records[index]!.output.key;
  }

  value(index: number): Uint8Array | null {
    return this.#records[index]!.output.value;
  }

  header(index: number, name: string): string | undefined {
    const { headers } = this.#records[index]!.output;
    return Object.hasOwn(headers, name) ? headers[name] : undefined;
  }
}
