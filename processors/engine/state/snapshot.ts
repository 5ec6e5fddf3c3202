/**
 * The snapshot format, version 2 (docs/checkpoint-format.md): the state of one task as bytes, whole (a base) or what
 * changed since the cut before (a delta). A reader reads every version that was ever released; a writer writes the
 * newest.
 */
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { ByteReader, ByteWriter, CorruptBytesError } from "./bytes.ts";
import { indexOfSection, requireCompatible } from "./schema.ts";
import type { SectionSchema, StateSection } from "./section.ts";
import { readSnapshotV1 } from "./snapshot-v1.ts";
import { COUNTERS, emptyState, schemasOf, sectionsOf, type TaskState } from "./task-state.ts";

export { SchemaMismatchError } from "./schema.ts";

const MAGIC = "SPWS";
const FORMAT = 2;
const BASE = 0;
const DELTA = 1;

/** Encodes the whole state. What was changed until now is no part of the next delta. */
export function encodeBase(definition: PipelineDefinition, state: TaskState): Uint8Array {
  const writer = startOf(definition, state, BASE);
  for (const section of sectionsOf(state)) section.writeBase(writer);
  return writer.finish();
}

/** Encodes what was changed since the last base or delta. */
export function encodeDelta(definition: PipelineDefinition, state: TaskState): Uint8Array {
  const writer = startOf(definition, state, DELTA);
  for (const section of sectionsOf(state)) section.writeDelta(writer);
  return writer.finish();
}

function startOf(definition: PipelineDefinition, state: TaskState, kind: number): ByteWriter {
  const writer = new ByteWriter();
  writer.text(MAGIC);
  writer.varint(FORMAT);
  writer.varint(kind);
  writer.text(JSON.stringify(schemasOf(definition)));
  writer.float64(state.watermarkMs);
  for (const name of COUNTERS) writer.varint(state.counters[name]);
  return writer;
}

/**
 * Decodes a base and the deltas that follow it, in their order.
 * @throws SchemaMismatchError where another definition wrote it, in a way that this one cannot go on from
 * @throws CorruptBytesError where the bytes are not a snapshot of a known format
 */
export function decodeSnapshot(
  definition: PipelineDefinition,
  base: Uint8Array,
  deltas: readonly Uint8Array[] = [],
): TaskState {
  const state = emptyState(
    definition,
    definition.inputs.map(() => 0),
  );
  readBase(definition, state, base);
  for (const delta of deltas) readDelta(definition, state, delta);
  for (const section of sectionsOf(state)) section.restored();
  return state;
}

/** Whether the bytes are of the newest format, and of the very definition: only then may a delta follow them. */
export function isCurrent(definition: PipelineDefinition, bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes);
  if (formatOf(reader) !== FORMAT) return false;
  reader.varint();
  return reader.text() === JSON.stringify(schemasOf(definition));
}

function readBase(definition: PipelineDefinition, state: TaskState, bytes: Uint8Array): void {
  const reader = new ByteReader(bytes);
  if (formatOf(reader) === 1) {
    readSnapshotV1(definition, state, reader);
  } else {
    if (reader.varint() !== BASE) throw new CorruptBytesError("the bytes are a delta where a base should be");
    readSections(definition, state, reader, (section, written) => section.readBase(reader, written));
  }
  requireEnd(reader);
}

function readDelta(definition: PipelineDefinition, state: TaskState, bytes: Uint8Array): void {
  const reader = new ByteReader(bytes);
  if (formatOf(reader) === 1 || reader.varint() !== DELTA) {
    throw new CorruptBytesError("the bytes are a base where a delta should be");
  }
  readSections(definition, state, reader, (section, written) => section.readDelta(reader, written));
  requireEnd(reader);
}

function formatOf(reader: ByteReader): number {
  if (reader.text() !== MAGIC) throw new CorruptBytesError("the bytes are not a Spillway snapshot");
  const format = reader.varint();
  if (format === 1 || format === FORMAT) return format;
  throw new CorruptBytesError(
    `snapshot format ${format} is not known here (this release reads 1 to ${FORMAT})`,
  );
}

function readSections(
  definition: PipelineDefinition,
  state: TaskState,
  reader: ByteReader,
  read: (section: StateSection, written: SectionSchema) => void,
): void {
  const current = schemasOf(definition);
  const written = schemasIn(reader.text());
  requireCompatible(definition.name, written, current);
  state.watermarkMs = reader.float64();
  for (const name of COUNTERS) state.counters[name] = reader.varint();
  // Before a delta adds to it: an identity that was forgotten and seen again must not be forgotten with its old bucket.
  for (const { seen } of state.inputs) seen?.expire(state.watermarkMs);
  const sections = sectionsOf(state);
  for (const schema of written) {
    read(sections[indexOfSection(current, schema)]!, schema);
  }
  state.inputs.forEach((input, index) => {
    input.wasWrittenWith(horizonOf(written[index]!), state.watermarkMs);
  });
}

const horizonOf = ({ settings }: SectionSchema): number | null => settings.dedupeHorizonMs as number | null;

function schemasIn(text: string): SectionSchema[] {
  try {
    return JSON.parse(text) as SectionSchema[];
  } catch (cause) {
    throw new CorruptBytesError("the snapshot's schema is not JSON", { cause });
  }
}

function requireEnd(reader: ByteReader): void {
  if (!reader.done) throw new CorruptBytesError("the snapshot has bytes after its end");
}
