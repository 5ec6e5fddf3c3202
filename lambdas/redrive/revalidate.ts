/** Whether an entry's events may go back to their topic: by the rules that the door has today. */
import {
  type ArchivedBytes,
  type ArchiveEntry,
  MAX_REDRIVES,
  redriveExtensions,
} from "../../contracts/dead-letter-archive.ts";
import { type DoorRules, PRODUCER_HEADER } from "../../contracts/producers.ts";
import { topics } from "../../contracts/topics.ts";
import { TRACEPARENT } from "../../contracts/traceparent.ts";
import type { ReceivedEvent } from "../ingest/content-mode.ts";
import { judgeEvent, type OutgoingEvent } from "../ingest/judge.ts";
import { type Producer, producer, traced } from "../ingest/producer.ts";
import { eventsOfRecord } from "../ingest/record-events.ts";

export type Verdict =
  | { readonly kind: "ready"; readonly events: readonly OutgoingEvent[] }
  /** `problem` names the rule and the field, never a value of the event. */
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "exhausted" | "notAnEvent" | "gone" };

/** Of what comes from a dead letter that does not say who sent it. */
const UNKNOWN_PRODUCER = "redrive";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * What goes back is the event with its provenance beside its attributes; (source, id) and all else stay as they are, so
 * that who has counted it knows it again. It is written anew from what was parsed: numbers are then what a pipeline,
 * which parses them too, would have read. Its topic and key are those that the catalogue gives its type; who sent it and
 * the trace context are those that its dead letter has.
 * @param bytes undefined where they have expired
 * @param doors what the producers of Kinesis doors may send today
 */
export function revalidate(
  entry: ArchiveEntry,
  bytes: ArchivedBytes | undefined,
  redriveId: string,
  nowMs: number,
  doors: DoorRules,
): Verdict {
  const isOfDoor = isRefusedAtDoor(entry);
  if (!isOfDoor && !isOfTopic(entry)) return { kind: "notAnEvent" };
  if (entry.redriveCount >= MAX_REDRIVES) return { kind: "exhausted" };
  if (bytes === undefined) return { kind: "gone" };
  const sender = isOfDoor ? doorProducer(bytes, doors) : topicProducer(bytes);
  if (sender === undefined) {
    return { kind: "refused", problem: "no door of the configuration is its producer's" };
  }
  const received = isOfDoor ? eventsOfDoor(bytes) : eventOfTopic(bytes);
  if (typeof received === "string") return { kind: "refused", problem: received };
  const provenance = {
    [redriveExtensions.count]: entry.redriveCount + 1,
    [redriveExtensions.id]: redriveId,
  };
  const events: OutgoingEvent[] = [];
  for (const { event } of received) {
    const again = isObject(event) ? { ...event, ...provenance } : event;
    const { accepted, refused } = judgeEvent({ event: again }, 0, nowMs, sender);
    if (accepted === undefined) {
      return { kind: "refused", problem: `${refused!.title} ${refused!.field}: ${refused!.detail}` };
    }
    events.push(accepted);
  }
  return { kind: "ready", events };
}

/** Results and what is between the stages of a pipeline are no events of the catalogue, and are made anew from those. */
const isOfTopic = ({ kind, source }: ArchiveEntry): boolean =>
  kind === "record" && source.kind === "kafka" && Object.hasOwn(topics, source.topic);

const isRefusedAtDoor = ({ kind, reason, source }: ArchiveEntry): boolean =>
  kind === "record" && reason === "refused-at-door" && source.kind === "kinesis";

/** Its event is on a topic of the catalogue already: whether its producer may send it was asked by the door. */
const topicProducer = (bytes: ArchivedBytes): Producer =>
  traced(producer(headerOf(bytes, PRODUCER_HEADER) ?? UNKNOWN_PRODUCER, "any"), headerOf(bytes, TRACEPARENT));

/** Undefined where the door is gone, or the dead letter is older than the header. */
function doorProducer(bytes: ArchivedBytes, doors: DoorRules): Producer | undefined {
  const name = headerOf(bytes, PRODUCER_HEADER);
  return name !== undefined && Object.hasOwn(doors, name) ? producer(name, doors[name]!) : undefined;
}

function eventOfTopic({ value }: ArchivedBytes): readonly ReceivedEvent[] | string {
  try {
    const event: unknown = JSON.parse(utf8.decode(value ?? new Uint8Array()));
    if (isObject(event)) return [{ event }];
  } catch {
    // What it is not is said below; the parser's own message quotes the payload.
  }
  return "undecodable: it is no JSON object in UTF-8";
}

const eventsOfDoor = ({ value }: ArchivedBytes): readonly ReceivedEvent[] | string => {
  const bytes = Buffer.from(value ?? []);
  return eventsOfRecord(bytes, bytes.toString("base64"));
};

function headerOf({ headers }: ArchivedBytes, name: string): string | undefined {
  const found = headers.find(([candidate]) => candidate === name);
  return found && Buffer.from(found[1]).toString();
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
