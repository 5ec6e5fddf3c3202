/**
 * Reads snapshots of format 1: one input, one operator with windows of fixed size that are emitted on close, and
 * float64 slots only. Kept as long as state of that release may exist.
 */
import type { Row } from "../aggregates/aggregate.ts";
import { CHANGED, REVISION, type RowLayout } from "../aggregates/row-layout.ts";
import { FixedWindowsState } from "../operators/windows/fixed-windows-state.ts";
import { SlicedWindowsState } from "../operators/windows/sliced-windows-state.ts";
import { WindowsDefinition } from "../operators/windows/windows-definition.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import type { ByteReader } from "./bytes.ts";
import { requireCompatible } from "./schema.ts";
import type { SectionSchema } from "./section.ts";
import { latestInBucket } from "./seen.ts";
import { COUNTERS, schemasOf, type TaskState } from "./task-state.ts";

interface SchemaV1 {
  readonly inputs: readonly string[];
  readonly window: unknown;
  readonly allowedLatenessMs: number;
  readonly dedupeHorizonMs: number | null;
  /** `name:kind/slots` */
  readonly aggregates: readonly string[];
}

interface SlotsV1 {
  readonly name: string;
  readonly kind: string;
  readonly slots: number;
}

/**
 * @param reader after magic and format
 * @throws SchemaMismatchError where the definition cannot go on from it
 */
export function readSnapshotV1(definition: PipelineDefinition, state: TaskState, reader: ByteReader): void {
  const schema = JSON.parse(reader.text()) as SchemaV1;
  const aggregates = schema.aggregates.map(slotsOf);
  requireCompatible(definition.name, sectionsOfV1(schema, aggregates), schemasOf(definition));
  const [input] = state.inputs;
  reader.varint();
  input!.offset = reader.varint();
  input!.watermarkMs = reader.float64();
  input!.recordWatermarkMs = input!.watermarkMs;
  state.watermarkMs = input!.watermarkMs;
  for (const name of COUNTERS) state.counters[name] = reader.varint();
  input!.wasWrittenWith(schema.dedupeHorizonMs, input!.watermarkMs);
  readWindows(definition, state, reader, aggregates);
  for (let buckets = reader.varint(); buckets > 0; buckets--) {
    const timeMs = latestInBucket(reader.float64(), schema.dedupeHorizonMs!);
    for (let events = reader.varint(); events > 0; events--) {
      const identity = reader.text();
      input!.seen?.add(identity, timeMs, reader.varint());
    }
  }
}

function slotsOf(text: string): SlotsV1 {
  const [name, kind, slots] = text.split(/[:/]/);
  return { name: name!, kind: kind!, slots: Number(slots) };
}

/** What format 1 wrote, in the words of today's schema. */
function sectionsOfV1(
  { inputs, window, allowedLatenessMs, dedupeHorizonMs }: SchemaV1,
  aggregates: readonly SlotsV1[],
): SectionSchema[] {
  const emission = { emit: { kind: "on-close" }, panes: "accumulating" };
  return [
    ...inputs.map((topic) => ({
      name: topic,
      kind: "input",
      settings: { dedupeHorizonMs },
      aggregates: [],
    })),
    { name: ".", kind: "fixed-windows", settings: { window, allowedLatenessMs, emission }, aggregates },
  ];
}

function readWindows(
  definition: PipelineDefinition,
  state: TaskState,
  reader: ByteReader,
  aggregates: readonly SlotsV1[],
): void {
  const [operator] = definition.operators;
  const [section] = state.operators;
  const isFixed = section instanceof FixedWindowsState || section instanceof SlicedWindowsState;
  if (!(operator instanceof WindowsDefinition && isFixed)) {
    throw new Error("a compatible definition has windows of fixed size");
  }
  for (let windows = reader.varint(); windows > 0; windows--) {
    const startMs = reader.float64();
    const endMs = reader.float64();
    const window = section.windows.get(startMs) ?? section.windows.open(startMs, endMs);
    window.fired = reader.varint() === 1;
    for (let rows = reader.varint(); rows > 0; rows--) {
      const key = reader.text();
      window.rows.set(key, readRow(reader, operator.rows, aggregates));
    }
  }
}

/** A row of format 1 has no note of changes: what was never emitted is what changed. */
function readRow(reader: ByteReader, rows: RowLayout, aggregates: readonly SlotsV1[]): Row {
  const row = rows.create();
  const revision = reader.float64();
  row[REVISION] = revision;
  row[CHANGED] = revision === 0 ? 1 : 0;
  for (const { name, kind, slots } of aggregates) {
    const at = rows.slotOf(name);
    for (let slot = 0; slot < slots; slot++) row[at + slot] = reader.float64();
    if (kind === "sum") {
      // Format 1 did not note whether only whole numbers had been added; the sum and its error say so.
      row[at + 2] = Number.isInteger(row[at]) && Number.isInteger(row[at + 1]) ? 0 : 1;
    }
  }
  return row;
}
