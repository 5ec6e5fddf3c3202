/**
 * The archive of everything that failed for good: an object with the original bytes for each entry, and an item in an
 * index by which entries are found. An entry is filed once, and only its state changes.
 */
import type { DeadLetterContent, DeadLetterReason } from "./dead-letter.ts";

/**
 * `record`, `excerpt`, `pane`: from the topic of dead letters, as {@link DeadLetterContent} says. `batch`: what Lambda
 * tells of records that a mapping dropped, without them. `invocation`: an asynchronous call that failed for good.
 * `message`: anything else that came to the queue.
 */
export type EntryKind = DeadLetterContent | "batch" | "invocation" | "message";

/** Beside the reasons of dead letters; each has a row in docs/dead-letters.md too. */
export type EntryReason = DeadLetterReason | "batch-dropped" | "invocation-failed" | "unclassified";

/** The record is what is checked against text from outside: a reason that is missing in it does not compile. */
const reasons: Readonly<Record<EntryReason, true>> = {
  undecodable: true,
  "invalid-event": true,
  "refused-at-door": true,
  "invalid-key": true,
  "key-elsewhere": true,
  "missing-time": true,
  "too-far-ahead": true,
  "key-too-large": true,
  "user-code-failed": true,
  "enrichment-failed": true,
  "state-full": true,
  "refused-by-table": true,
  "batch-dropped": true,
  "invocation-failed": true,
  unclassified: true,
};
export const entryReasons = Object.keys(reasons) as readonly EntryReason[];
export const isEntryReason = (text: string | undefined): text is EntryReason =>
  text !== undefined && Object.hasOwn(reasons, text);

/**
 * `archived` → `redriving` → `redriven`, or `archived` → `discarded`. What a redrive leaves in `redriving` was under way
 * when it died: the event may have been sent or not.
 */
export const entryStates = ["archived", "redriving", "redriven", "discarded"] as const;
export type EntryState = (typeof entryStates)[number];

/** Where the bytes were. Offsets and sequence numbers are decimal text: they are larger than a number may be. */
export type EntrySource =
  | {
      readonly kind: "kafka";
      readonly topic: string;
      readonly partition: number;
      readonly offset: string;
      /** Only of a batch: its last record. */
      readonly lastOffset?: string;
    }
  | {
      readonly kind: "kinesis";
      /** Its name. */
      readonly stream: string;
      readonly shard: string;
      readonly sequence: string;
      /** Only of a batch: its last record, and how many there are. */
      readonly lastSequence?: string;
      readonly records?: number;
    }
  | { readonly kind: "request"; readonly requestId: string }
  | { readonly kind: "message"; readonly messageId: string };

/** An entry as the index holds it: everything but the bytes. */
export interface ArchiveEntry {
  /** 32 hexadecimal digits, derived from stage, source and bytes: the same dead letter has the same id. */
  readonly id: string;
  readonly kind: EntryKind;
  readonly reason: EntryReason;
  /** The pipeline, the stage of one or the function that gave up on it. */
  readonly stage: string;
  readonly source: EntrySource;
  /** A sentence that says what was wrong; never the payload. */
  readonly detail: string;
  /** How often it was tried before it was given up, where that is told. */
  readonly attempts?: number;
  /** When it was given up, first and last. The last differs where the same dead letter came again. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Size of the archived value; 0 where it has none. */
  readonly valueBytes: number;
  /** CloudEvents `type`, where the value is an event that says so. */
  readonly type?: string;
  /** CloudEvents `dataschema`: the version of the data's schema that the sender states. */
  readonly dataSchema?: string;
  /** The trace id of a W3C `traceparent`, from the event's extension or the record's header. */
  readonly traceId?: string;
  /** The redrive whose event this is: it was sent again, and failed again. */
  readonly cameBackFrom?: string;
  readonly state: EntryState;
  readonly stateAtMs: number;
  /** How often its event was redriven, in this entry's life and, where it came back, before. */
  readonly redriveCount: number;
  /** The last redrive that took it. */
  readonly redriveId?: string;
}

/** What came in: bytes as they were. Header names may repeat. */
export interface ArchivedBytes {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

/** An event that was redriven so often stays in the archive. */
export const MAX_REDRIVES = 3;

/** Entries and their bytes are kept so long after they were given up; then both expire. */
export const ARCHIVE_RETENTION_DAYS = 90;

/** Longer than a redrive may run, so that one that is under way is not taken for one that died. */
export const REDRIVE_STALE_MS = 15 * 60_000;

/** Attribute and index names of the index. */
export const archiveTable = {
  partitionKey: "id",
  /** Index of what has a state, by the day (UTC) on which it was given up, then by when. */
  byState: { name: "by-state", partitionKey: "stateDay", sortKey: "firstAtMs" },
  /** Index of what came back from a redrive. */
  byRedrive: { name: "by-redrive", partitionKey: "cameBackFrom", sortKey: "firstAtMs" },
  expiresAt: "expiresAt",
} as const;

/** CloudEvents extension attributes of an event that was sent again: how often, and by which redrive. */
export const redriveExtensions = { count: "redrivecount", id: "redriveid" } as const;

/** Which entries are meant. Every condition that is given must hold. */
export interface Selection {
  readonly state: EntryState;
  readonly id?: string;
  readonly reason?: EntryReason;
  readonly type?: string;
  /** A pipeline with all of its stages, or a function. */
  readonly pipeline?: string;
  /** Given up then or later; before. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** Where a reader of the index is: after this entry. */
export interface Position {
  readonly id: string;
  readonly firstAtMs: number;
}

/** What the redrive function is told. */
export interface RedriveRequest {
  /** Made by the caller, at random, and the same for all calls of one redrive. */
  readonly redriveId: string;
  /** False: says what would happen, and changes nothing. */
  readonly execute: boolean;
  readonly selection: Selection;
  readonly ratePerSecond: number;
  /** From 0 to 1: a redrive ends once a greater share of its events failed. */
  readonly maxFailureShare: number;
  /** @default all that are selected */
  readonly maxEntries?: number;
  /** What the last call answered. @default this is the first */
  readonly progress?: RedriveProgress;
}

/**
 * `ready`: would be redriven (dry run). `refused`: today's rules of the door refuse it. `exhausted`: redriven as often
 * as may be. `notAnEvent`: not the whole bytes of an event of the catalogue's topics. `gone`: its bytes have expired.
 * `contended`: someone else moved it meanwhile.
 */
export const redriveOutcomes = [
  "ready",
  "redriven",
  "refused",
  "exhausted",
  "notAnEvent",
  "gone",
  "contended",
] as const;
export type RedriveOutcome = (typeof redriveOutcomes)[number];

export interface RedriveProgress {
  readonly counts: Readonly<Record<RedriveOutcome, number>>;
  /** Events of this redrive that are in the archive again. */
  readonly cameBack: number;
  /** How many were refused, by what was wrong; the first few kinds. */
  readonly problems: Readonly<Record<string, number>>;
  /** Absent before the first entry. */
  readonly after?: Position;
}

/** `more`: the time was over; call again with the progress. `stopped`: for the reason that is given. */
export interface RedriveAnswer {
  readonly end: "done" | "more" | "stopped";
  readonly reason?: string;
  readonly progress: RedriveProgress;
}
