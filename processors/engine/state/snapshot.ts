/**
 * The snapshot format, version 1 (docs/checkpoint-format.md): the whole state of one task as bytes. A reader
 * reads every version that was ever released; a writer writes the newest.
 */
import { type PipelineDefinition, stateSchema } from "../pipeline/definition.ts";
import { ByteReader, ByteWriter, CorruptBytesError } from "./bytes.ts";
import { FIRST_SLOT, type OpenWindow, type Row } from "./open-windows.ts";
import type { Counters, TaskState } from "./task-state.ts";
import { emptyState } from "./task-state.ts";

const MAGIC = "SPWS";
const FORMAT = 1;
const COUNTERS = [
  "counted",
  "late",
  "duplicate",
  "dead",
  "ignored",
  "results",
] as const satisfies readonly (keyof Counters)[];

/** The state was written by a definition whose state is laid out otherwise. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
}

/** Encodes the whole state. */
export function encodeSnapshot(definition: PipelineDefinition, state: TaskState): Uint8Array {
  const writer = new ByteWriter();
  writer.text(MAGIC);
  writer.varint(FORMAT);
  writer.text(stateSchema(definition));
  writer.varint(state.offsets.length);
  for (const offset of state.offsets) writer.varint(offset);
  writer.float64(state.watermarkMs);
  for (const name of COUNTERS) writer.varint(state.counters[name]);
  const windows = state.windows.inOrder();
  writer.varint(windows.length);
  for (const window of windows) writeWindow(writer, window);
  writeSeen(writer, state);
  return writer.finish();
}

function writeWindow(writer: ByteWriter, window: OpenWindow): void {
  writer.float64(window.startMs);
  writer.float64(window.endMs);
  writer.varint(window.fired ? 1 : 0);
  writer.varint(window.rows.size);
  for (const [key, row] of window.rows) {
    writer.text(key);
    for (const slot of row) writer.float64(slot);
  }
}

function writeSeen(writer: ByteWriter, { seen }: TaskState): void {
  const buckets = seen === null ? [] : [...seen.entries()];
  writer.varint(buckets.length);
  for (const { timeMs, bucket } of buckets) {
    writer.float64(timeMs);
    writer.varint(bucket.identities.length);
    bucket.identities.forEach((identity, index) => {
      writer.text(identity);
      writer.varint(bucket.keyHashes[index]!);
    });
  }
}

/**
 * Decodes a snapshot.
 * @throws SchemaMismatchError where another definition wrote it
 * @throws CorruptBytesError where the bytes are not a snapshot of a known format
 */
export function decodeSnapshot(definition: PipelineDefinition, bytes: Uint8Array): TaskState {
  const reader = new ByteReader(bytes);
  if (reader.text() !== MAGIC) throw new CorruptBytesError("the bytes are not a Spillway snapshot");
  const format = reader.varint();
  if (format !== FORMAT) {
    throw new CorruptBytesError(`snapshot format ${format} is not known here (this release reads ${FORMAT})`);
  }
  requireSchema(definition, reader.text());
  const offsets = Array.from({ length: reader.varint() }, () => reader.varint());
  const state = emptyState(definition, offsets);
  state.watermarkMs = reader.float64();
  for (const name of COUNTERS) state.counters[name] = reader.varint();
  const width = definition.aggregates.reduce((slots, { aggregate }) => slots + aggregate.slots, FIRST_SLOT);
  for (let windows = reader.varint(); windows > 0; windows--) readWindow(reader, state, width);
  readSeen(reader, state);
  if (!reader.done) throw new CorruptBytesError("the snapshot has bytes after its end");
  state.windows.settle(Number.NEGATIVE_INFINITY);
  return state;
}

function requireSchema(definition: PipelineDefinition, written: string): void {
  const current = stateSchema(definition);
  if (written === current) return;
  throw new SchemaMismatchError(
    `pipeline ${definition.name}: its state was written as ${written}, its definition now is ${current}. ` +
      "Give the changed pipeline a new name and run it beside the old one, or restore the old definition",
  );
}

function readWindow(reader: ByteReader, state: TaskState, width: number): void {
  const startMs = reader.float64();
  const window = state.windows.open(startMs, reader.float64());
  window.fired = reader.varint() === 1;
  for (let rows = reader.varint(); rows > 0; rows--) {
    const key = reader.text();
    const row: Row = [];
    for (let slot = 0; slot < width; slot++) row.push(reader.float64());
    window.rows.set(key, row);
  }
}

function readSeen(reader: ByteReader, { seen }: TaskState): void {
  for (let buckets = reader.varint(); buckets > 0; buckets--) {
    const timeMs = reader.float64();
    for (let events = reader.varint(); events > 0; events--) {
      const identity = reader.text();
      seen?.add(identity, timeMs, reader.varint());
    }
  }
}
