/**
 * The aggregates of a key over a part of a window, on their way to the task that merges them. As bytes: format, the
 * aggregates that the row holds (name and kind, JSON), key, start of the part (float64, milliseconds), row.
 */
import type { Aggregate, Row } from "../../aggregates/aggregate.ts";
import { FIRST_SLOT, type NamedAggregate, RowLayout, type RowReader } from "../../aggregates/row-layout.ts";
import type { Source } from "../../pipeline/source.ts";
import { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type { SectionSchema } from "../../state/section.ts";

const FORMAT = 1;

export interface PartialRow {
  readonly key: string;
  readonly startMs: number;
  readonly row: Row;
}

export function encodePartial(rows: RowLayout, { key, startMs, row }: PartialRow): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(FORMAT);
  writer.text(JSON.stringify(rows.schema));
  writer.text(key);
  writer.float64(startMs);
  rows.write(writer, row);
  return writer.finish();
}

/** What the stage that merges reads. The rows of a definition that had fewer aggregates can still be read. */
export function partialsSource(aggregates: readonly NamedAggregate[]): Omit<Source<PartialRow>, "topic"> {
  const rows = new RowLayout(aggregates);
  const readers = new Map<string, RowReader>();
  const readerOf = (schema: string): RowReader => {
    let reader = readers.get(schema);
    if (reader === undefined) {
      const written = JSON.parse(schema) as SectionSchema["aggregates"];
      requireSameKinds(written, rows.schema);
      reader = rows.readerOf(written);
      readers.set(schema, reader);
    }
    return reader;
  };
  return {
    decode: (value) => decodePartial(value, readerOf),
    time: ({ startMs }) => startMs,
    futureBoundMs: () => Number.POSITIVE_INFINITY,
    maxFutureBoundMs: Number.POSITIVE_INFINITY,
  };
}

function decodePartial(value: Uint8Array, readerOf: (schema: string) => RowReader): PartialRow {
  const reader = new ByteReader(value);
  const format = reader.varint();
  if (format !== FORMAT) throw new Error(`partial aggregates of format ${format} are not known here`);
  const readRow = readerOf(reader.text());
  const partial = { key: reader.text(), startMs: reader.float64(), row: readRow(reader) };
  if (!reader.done) throw new Error("the partial aggregates have bytes after their end");
  return partial;
}

function requireSameKinds(written: SectionSchema["aggregates"], current: SectionSchema["aggregates"]): void {
  for (const { name, kind } of written) {
    const now = current.find((aggregate) => aggregate.name === name);
    if (now?.kind !== kind)
      throw new Error(`aggregate ${name} was ${kind} and is now ${now?.kind ?? "removed"}`);
  }
}

/** The aggregates as what a stage keeps that adds rows instead of events: the same state and the same results. */
export function mergingAggregates(aggregates: readonly NamedAggregate[]): NamedAggregate[] {
  let next = FIRST_SLOT;
  return aggregates.map(({ name, aggregate }) => {
    const at = next;
    next += aggregate.slots;
    return { name, aggregate: merging(aggregate, at) };
  });
}

function merging(aggregate: Aggregate<unknown>, at: number): Aggregate<unknown> {
  const { attempt } = aggregate;
  return {
    ...aggregate,
    select: (partial) => (partial as PartialRow).row,
    refuse: () => undefined,
    add: (row, slot, from) => aggregate.merge(row, from as Row, slot),
    ...(attempt === undefined
      ? {}
      : {
          attempt: {
            add: (slot, from) => attempt.merge(slot, (from as Row)[at]),
            merge: attempt.merge,
          },
        }),
  };
}
