/** The one window of each key that a task has ever seen. */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, type RowLayout } from "../../aggregates/row-layout.ts";
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { KeyedStore, type ValueCodec } from "../../state/keyed-store.ts";
import type { SectionSchema } from "../../state/section.ts";
import { nextMultiple } from "../../windows/emission.ts";
import { GLOBAL_WINDOW, type GlobalWindow } from "../../windows/window.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { EarlyEmissions } from "./early-emissions.ts";
import { GlobalWindows } from "./global-windows.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class GlobalWindowsState implements OperatorState {
  readonly #definition: WindowsDefinition<GlobalWindow>;
  readonly rows: KeyedStore<Row>;
  /** The keys that changed: emitted when their trigger says so, and at the end of time at the latest. */
  readonly early: EarlyEmissions<string>;
  /** As the snapshot has it, until everything is read. */
  #nextEarlyMs = Number.POSITIVE_INFINITY;

  constructor(definition: WindowsDefinition<GlobalWindow>) {
    const { trigger } = definition.window;
    this.#definition = definition;
    this.rows = new KeyedStore(codecOf(definition.rows, definition.rows.schema));
    this.early = new EarlyEmissions({
      after: (watermarkMs) =>
        trigger.kind === "every"
          ? Math.min(nextMultiple(trigger.everyMs, watermarkMs), GLOBAL_WINDOW.end)
          : GLOBAL_WINDOW.end,
      compare: (a, b) => (a < b ? -1 : 1),
    });
  }

  get entries(): number {
    return this.rows.size;
  }

  open(context: OperatorContext): Operator {
    return new GlobalWindows(this.#definition, this, context);
  }

  writeBase(writer: ByteWriter): void {
    writer.float64(this.early.dueMs);
    this.rows.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.float64(this.early.dueMs);
    this.rows.writeDelta(writer);
  }

  readBase(reader: ByteReader, { aggregates }: SectionSchema): void {
    this.#nextEarlyMs = reader.float64();
    this.rows.readBase(reader, codecOf(this.#definition.rows, aggregates));
  }

  readDelta(reader: ByteReader, { aggregates }: SectionSchema): void {
    this.#nextEarlyMs = reader.float64();
    this.rows.readDelta(reader, codecOf(this.#definition.rows, aggregates));
  }

  restored(): void {
    const changed: string[] = [];
    for (const [key, row] of this.rows.entries()) {
      if ((row[CHANGED] as number) > 0) changed.push(key);
    }
    this.early.restore(this.#nextEarlyMs, changed);
  }
}

/** @param written the aggregates of whoever wrote the rows that are read */
function codecOf(rows: RowLayout, written: SectionSchema["aggregates"]): ValueCodec<Row> {
  return { write: (writer, row) => rows.write(writer, row), read: rows.readerOf(written) };
}
