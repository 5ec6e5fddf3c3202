/** Whether an entry's event may go back to its topic: by the rules that the door has today. */
import {
  type ArchivedBytes,
  type ArchiveEntry,
  MAX_REDRIVES,
  redriveExtensions,
} from "../../contracts/dead-letter-archive.ts";
import { topics } from "../../contracts/topics.ts";
import { judgeEvent, type OutgoingEvent } from "../ingest/judge.ts";
import { producer } from "../ingest/producer.ts";

export type Verdict =
  | { readonly kind: "ready"; readonly event: OutgoingEvent }
  /** `problem` names the rule and the field, never a value of the event. */
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "exhausted" | "notAnEvent" | "gone" };

/** Its events are on a topic of the catalogue already: who put them there was asked by the door. */
const REDRIVE = producer("redrive", "any");

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * What goes back is the event with its provenance beside its attributes; (source, id) and all else stay as they are, so
 * that who has counted it knows it again. It is written anew from what was parsed: numbers are then what a pipeline,
 * which parses them too, would have read. Its topic and key are those that the catalogue gives its type.
 * @param bytes undefined where they have expired
 */
export function revalidate(
  entry: ArchiveEntry,
  bytes: ArchivedBytes | undefined,
  redriveId: string,
  nowMs: number,
): Verdict {
  if (!isWholeEvent(entry)) return { kind: "notAnEvent" };
  if (entry.redriveCount >= MAX_REDRIVES) return { kind: "exhausted" };
  if (bytes === undefined) return { kind: "gone" };
  const event = parse(bytes.value);
  if (event === undefined) return { kind: "refused", problem: "undecodable: it is no JSON object in UTF-8" };
  const provenance = {
    [redriveExtensions.count]: entry.redriveCount + 1,
    [redriveExtensions.id]: redriveId,
  };
  const { accepted, refused } = judgeEvent({ event: { ...event, ...provenance } }, 0, nowMs, REDRIVE);
  if (accepted !== undefined) return { kind: "ready", event: accepted };
  return { kind: "refused", problem: `${refused!.title} ${refused!.field}: ${refused!.detail}` };
}

/**
 * Results and what is between the stages of a pipeline are no events of the catalogue, and are made anew from those. What
 * came by a producer's stream stays: only its door knows which types that producer may send.
 */
const isWholeEvent = ({ kind, source }: ArchiveEntry): boolean =>
  kind === "record" && source.kind === "kafka" && Object.hasOwn(topics, source.topic);

function parse(value: Uint8Array | null): object | undefined {
  try {
    const event: unknown = JSON.parse(utf8.decode(value ?? new Uint8Array()));
    return typeof event === "object" && event !== null && !Array.isArray(event) ? event : undefined;
  } catch {
    return undefined;
  }
}
