/** The archive's entries and counts as text for people. */
import type { AgedOutAnswer } from "../../contracts/aged-out.ts";
import {
  type ArchivedBytes,
  type ArchiveEntry,
  type EntrySource,
  type RedriveAnswer,
  type RedriveOutcome,
  redriveOutcomes,
} from "../../contracts/dead-letter-archive.ts";

export function listLine(entry: ArchiveEntry): string {
  const { id, firstAtMs, reason, stage, type = "-", source, valueBytes } = entry;
  return [id, timeText(firstAtMs), reason.padEnd(17), stage, type, placeOf(source), `${valueBytes} B`].join(
    "  ",
  );
}

export function placeOf(source: EntrySource): string {
  switch (source.kind) {
    case "kafka": {
      const last = source.lastOffset === undefined ? "" : `-${source.lastOffset}`;
      return `${source.topic}/${source.partition}@${source.offset}${last}`;
    }
    case "kinesis": {
      const { stream, shard, sequence, lastSequence, records } = source;
      const place = `${stream}/${shard}@${sequence}`;
      return lastSequence === undefined ? place : `${place}-${lastSequence} (${records} records)`;
    }
    case "request":
      return `request ${source.requestId}`;
    case "message":
      return `message ${source.messageId}`;
  }
}

/** An entry with its bytes; undefined ones have expired. */
export function entryText(entry: ArchiveEntry, bytes: ArchivedBytes | undefined): string {
  const { source, firstAtMs, lastAtMs, stateAtMs, ...plain } = entry;
  const fields = {
    ...plain,
    source: placeOf(source),
    firstAt: timeText(firstAtMs),
    lastAt: timeText(lastAtMs),
    stateAt: timeText(stateAtMs),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name.padEnd(13)} ${value}`);
  if (bytes === undefined) return [...lines, "its bytes have expired"].join("\n");
  const headers = bytes.headers.map(([name, value]) => `  ${name}: ${bytesText(value)}`);
  return [
    ...lines,
    `key           ${bytesText(bytes.key)}`,
    "headers",
    ...headers,
    "value",
    bytesText(bytes.value),
  ].join("\n");
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function bytesText(bytes: Uint8Array | null): string {
  if (bytes === null) return "(none)";
  try {
    return utf8.decode(bytes);
  } catch {
    return `(base64) ${Buffer.from(bytes).toString("base64")}`;
  }
}

const timeText = (ms: number): string => new Date(ms).toISOString();

const outcomeTexts: Readonly<Record<RedriveOutcome, string>> = {
  ready: "would be sent again",
  redriven: "were sent again",
  refused: "are refused by today's rules",
  exhausted: "were redriven as often as may be",
  notAnEvent: "are no events of a catalogue's topic",
  gone: "have expired",
  contended: "were moved by someone else meanwhile",
};

export function agedOutText({ end, reason, progress }: AgedOutAnswer, executed: boolean): string {
  const { objects, events, dead, kept } = progress;
  const count = (number: number, text: string): string => `${String(number).padStart(8)} ${text}`;
  const sent = executed ? "were sent again" : "would be sent again";
  return [
    count(events, `events of ${objects} batches ${sent}`),
    ...(dead > 0 ? [count(dead, `of what they hold ${executed ? "are" : "would be"} dead letters`)] : []),
    ...(kept > 0 ? [count(kept, "objects stay: no batches, or of no door that there is")] : []),
    ...(end === "stopped" ? [`stopped: ${reason}`] : []),
  ].join("\n");
}

export function redriveText({ end, reason, progress }: RedriveAnswer): string {
  const counts = redriveOutcomes
    .filter((outcome) => progress.counts[outcome] > 0)
    .map((outcome) => `${String(progress.counts[outcome]).padStart(8)} ${outcomeTexts[outcome]}`);
  const problems = Object.entries(progress.problems).map(
    ([problem, count]) => `${String(count).padStart(8)} × ${problem}`,
  );
  return [
    ...(counts.length > 0 ? counts : ["nothing is selected"]),
    ...(progress.cameBack > 0 ? [`${String(progress.cameBack).padStart(8)} are in the archive again`] : []),
    ...(problems.length > 0 ? ["refused:", ...problems] : []),
    ...(end === "stopped" ? [`stopped: ${reason}`] : []),
  ].join("\n");
}
