import {
  type ArchivedBytes,
  type ArchiveEntry,
  redriveExtensions,
} from "../../contracts/dead-letter-archive.ts";
import { TRACEPARENT, traceIdOf } from "../../contracts/traceparent.ts";

/** What is longer is no name, and an item of the index is to stay small. */
const MAX_TEXT_CHARS = 256;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * What the archive tells of an event by: whatever can be read of it, as a dead letter need not be an event at all.
 * The provenance is the sender's word where it was never redriven; all it can do is to keep that event in its place.
 */
export function eventFacts({
  value,
  headers,
}: ArchivedBytes): Pick<ArchiveEntry, "type" | "dataSchema" | "traceId" | "cameBackFrom" | "redriveCount"> {
  const event = parse(value);
  const header = headers.find(([name]) => name === TRACEPARENT)?.[1];
  const type = text(event.type);
  const dataSchema = text(event.dataschema);
  const traceId = traceIdOf(event[TRACEPARENT]) ?? traceIdOf(header && String(Buffer.from(header)));
  const redriveId = text(event[redriveExtensions.id]);
  const count = event[redriveExtensions.count];
  return {
    ...(type !== undefined && { type }),
    ...(dataSchema !== undefined && { dataSchema }),
    ...(traceId !== undefined && { traceId }),
    ...(redriveId !== undefined && UUID.test(redriveId) && { cameBackFrom: redriveId }),
    redriveCount: Number.isInteger(count) && (count as number) > 0 ? (count as number) : 0,
  };
}

function parse(value: Uint8Array | null): Readonly<Record<string, unknown>> {
  try {
    const event: unknown = JSON.parse(utf8.decode(value ?? new Uint8Array()));
    return typeof event === "object" && event !== null ? (event as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= MAX_TEXT_CHARS && value.isWellFormed()
    ? value
    : undefined;
