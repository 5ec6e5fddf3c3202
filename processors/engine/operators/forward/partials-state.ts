/** The rows that wait to be sent on: of a second at the most, so each write holds all of them. */
import type { Row } from "../../aggregates/aggregate.ts";
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type { SectionSchema } from "../../state/section.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { Partials } from "./partials.ts";
import type { PartialsDefinition } from "./partials-definition.ts";
import { Progress } from "./progress.ts";

/** Rows are sent on, and the watermark is told, for at least so many records together. */
const MAX_RECORDS_BETWEEN_WATERMARKS = 10_000;

export class PartialsState implements OperatorState {
  readonly #definition: PartialsDefinition;
  readonly progress = new Progress(MAX_RECORDS_BETWEEN_WATERMARKS);
  /** By the start of the part of time that they are of, then by key. */
  readonly rows = new Map<number, Map<string, Row>>();

  constructor(definition: PartialsDefinition) {
    this.#definition = definition;
  }

  /** Rows are sent on soon, many at a time, so they are never too many. */
  get entries(): number {
    return 0;
  }

  open(context: OperatorContext): Operator {
    return new Partials(this.#definition, this, context);
  }

  /** The row of a key and part, made where there is none. */
  at(startMs: number, key: string): Row {
    let part = this.rows.get(startMs);
    if (part === undefined) {
      part = new Map();
      this.rows.set(startMs, part);
    }
    let row = part.get(key);
    if (row === undefined) {
      row = this.#definition.rows.create();
      part.set(key, row);
    }
    return row;
  }

  writeBase(writer: ByteWriter): void {
    this.progress.write(writer);
    writer.varint(this.rows.size);
    for (const [startMs, part] of this.rows) {
      writer.float64(startMs);
      writer.varint(part.size);
      for (const [key, row] of part) {
        writer.text(key);
        this.#definition.rows.write(writer, row);
      }
    }
  }

  writeDelta(writer: ByteWriter): void {
    this.writeBase(writer);
  }

  readBase(reader: ByteReader, { aggregates }: SectionSchema): void {
    this.progress.read(reader);
    const readRow = this.#definition.rows.readerOf(aggregates);
    this.rows.clear();
    for (let parts = reader.varint(); parts > 0; parts--) {
      const part = new Map<string, Row>();
      this.rows.set(reader.float64(), part);
      for (let rows = reader.varint(); rows > 0; rows--) part.set(reader.text(), readRow(reader));
    }
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    this.readBase(reader, written);
  }

  restored(): void {
    // Nothing is derived.
  }
}
