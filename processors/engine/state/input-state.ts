/** What a task remembers of one of its inputs. */
import type { InputDefinition } from "../pipeline/definition.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { SectionSchema, StateSection } from "./section.ts";
import { SeenEvents } from "./seen.ts";
import { UpstreamWatermarks } from "./upstream-watermarks.ts";

export class InputState implements StateSection {
  /** The next offset to read. */
  offset: number;
  /** Minus infinity until the first event. */
  watermarkMs = Number.NEGATIVE_INFINITY;
  /** The watermark that records gave, without ticks, and the arrival of the last of them: what ticks count from. */
  recordWatermarkMs = Number.NEGATIVE_INFINITY;
  lastArrivalMs = Number.NEGATIVE_INFINITY;
  /** Whether a tick has come since the last record; an idle input holds nobody back. */
  idle = false;
  readonly seen: SeenEvents | null;
  /** Only where a stage upstream writes the input. */
  readonly upstream: UpstreamWatermarks | null;

  constructor({ role, dedupeHorizonMs }: InputDefinition, offset: number) {
    this.offset = offset;
    this.upstream = role === "forwarded" ? new UpstreamWatermarks() : null;
    this.seen = dedupeHorizonMs === null ? null : new SeenEvents(dedupeHorizonMs);
  }

  static schema({ role, topic, dedupeHorizonMs }: InputDefinition): SectionSchema {
    const kind = role === "events" ? "input" : `${role}-input`;
    return { name: topic, kind, settings: { dedupeHorizonMs }, aggregates: [] };
  }

  writeBase(writer: ByteWriter): void {
    this.#writePosition(writer);
    this.seen?.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.#writePosition(writer);
    this.seen?.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.#readPosition(reader);
    this.seen?.read(reader);
  }

  readDelta(reader: ByteReader): void {
    this.#readPosition(reader);
    this.seen?.read(reader);
  }

  restored(): void {
    this.seen?.restored();
  }

  #writePosition(writer: ByteWriter): void {
    writer.varint(this.offset);
    writer.float64(this.watermarkMs);
    writer.float64(this.recordWatermarkMs);
    writer.float64(this.lastArrivalMs);
    writer.varint(this.idle ? 1 : 0);
    this.upstream?.write(writer);
  }

  #readPosition(reader: ByteReader): void {
    this.offset = reader.varint();
    this.watermarkMs = reader.float64();
    this.recordWatermarkMs = reader.float64();
    this.lastArrivalMs = reader.float64();
    this.idle = reader.varint() === 1;
    this.upstream?.read(reader);
  }
}
