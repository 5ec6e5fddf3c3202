/** What a task remembers of one of its inputs. */
import type { InputDefinition } from "../pipeline/definition.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { SectionSchema, StateSection } from "./section.ts";
import { SeenEvents } from "./seen.ts";
import { TableRows } from "./table-rows.ts";
import { UpstreamWatermarks } from "./upstream-watermarks.ts";

export class InputState implements StateSection {
  /** The next offset to read. */
  offset: number;
  /** Events of before this time are none of this pipeline's: it was started there. */
  fromMs = Number.NEGATIVE_INFINITY;
  /** Of events before this time not every identity is known: the horizon was shorter when they came. */
  rememberedFromMs = Number.NEGATIVE_INFINITY;
  /** Minus infinity until the first event. */
  watermarkMs = Number.NEGATIVE_INFINITY;
  /** The watermark that records gave, without ticks, and the arrival of the last of them: what ticks count from. */
  recordWatermarkMs = Number.NEGATIVE_INFINITY;
  lastArrivalMs = Number.NEGATIVE_INFINITY;
  /** Whether a tick has come since the last record; an idle input holds nobody back. */
  idle = false;
  readonly seen: SeenEvents | null;
  readonly #horizonMs: number | null;
  /** Only where a stage upstream writes the input. */
  readonly upstream: UpstreamWatermarks | null;
  /** Only of a table. */
  readonly table: TableRows | null;

  constructor({ role, source, dedupeHorizonMs }: InputDefinition, offset: number) {
    this.offset = offset;
    this.table = role === "table" ? new TableRows((value) => source.decode(value)) : null;
    this.upstream = role === "forwarded" ? new UpstreamWatermarks() : null;
    this.#horizonMs = dedupeHorizonMs;
    this.seen = dedupeHorizonMs === null ? null : new SeenEvents(dedupeHorizonMs);
  }

  static schema({ role, topic, dedupeHorizonMs }: InputDefinition): SectionSchema {
    const kind = role === "events" ? "input" : `${role}-input`;
    return { name: topic, kind, settings: { dedupeHorizonMs }, aggregates: [] };
  }

  writeBase(writer: ByteWriter): void {
    this.#writePosition(writer);
    this.seen?.writeBase(writer);
    this.table?.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.#writePosition(writer);
    this.seen?.writeDelta(writer);
    this.table?.writeDelta(writer);
  }

  readBase(reader: ByteReader, written: SectionSchema): void {
    this.#readPosition(reader);
    this.seen?.read(reader, written.settings.dedupeHorizonMs as number);
    this.table?.readBase(reader);
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    this.#readPosition(reader);
    this.seen?.read(reader, written.settings.dedupeHorizonMs as number);
    this.table?.readDelta(reader);
  }

  /**
   * Notes what a definition with another horizon had forgotten already.
   * @param horizonMs what whoever wrote the state remembered
   * @param watermarkMs the task's, when it was written
   */
  wasWrittenWith(horizonMs: number | null, watermarkMs: number): void {
    if (horizonMs === null || this.#horizonMs === null || horizonMs >= this.#horizonMs) return;
    this.rememberedFromMs = Math.max(this.rememberedFromMs, watermarkMs - horizonMs);
  }

  /** The time before which an event is late by rule, since nobody knows whether it was counted. */
  knownFromMs(watermarkMs: number): number {
    if (this.#horizonMs === null) return Number.NEGATIVE_INFINITY;
    return Math.max(watermarkMs - this.#horizonMs, this.rememberedFromMs);
  }

  restored(): void {
    this.seen?.restored();
  }

  #writePosition(writer: ByteWriter): void {
    writer.varint(this.offset);
    writer.float64(this.fromMs);
    writer.float64(this.rememberedFromMs);
    writer.float64(this.watermarkMs);
    writer.float64(this.recordWatermarkMs);
    writer.float64(this.lastArrivalMs);
    writer.varint(this.idle ? 1 : 0);
    this.upstream?.write(writer);
  }

  #readPosition(reader: ByteReader): void {
    this.offset = reader.varint();
    this.fromMs = reader.float64();
    this.rememberedFromMs = reader.float64();
    this.watermarkMs = reader.float64();
    this.recordWatermarkMs = reader.float64();
    this.lastArrivalMs = reader.float64();
    this.idle = reader.varint() === 1;
    this.upstream?.read(reader);
  }
}
