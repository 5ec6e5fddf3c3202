/** One thing that failed for good, as it is filed: what every source of the archive is read into. */
import { createHash } from "node:crypto";
import {
  ARCHIVE_RETENTION_DAYS,
  type ArchivedBytes,
  type ArchiveEntry,
} from "../../contracts/dead-letter-archive.ts";
import { eventFacts } from "./event-facts.ts";

const ID_HEX_DIGITS = 32;
const MAX_DETAIL_CHARS = 1_000;
const DAY_MS = 86_400_000;

export interface Letter
  extends Pick<ArchiveEntry, "kind" | "reason" | "stage" | "source" | "detail" | "attempts"> {
  /** What is hashed into the id beside kind, stage and bytes; a copy that comes from elsewhere must have the same. */
  readonly identity: string;
  /** When it was given up, as its source says. */
  readonly atMs: number;
  readonly bytes: ArchivedBytes;
}

/** The entry that a letter becomes, new in the archive. */
export function entryFrom(letter: Letter, nowMs: number): ArchiveEntry {
  const { kind, reason, stage, source, detail, attempts, bytes } = letter;
  const atMs = plausible(letter.atMs, nowMs);
  return {
    id: idOf(letter),
    kind,
    reason,
    stage,
    source,
    detail: detail.slice(0, MAX_DETAIL_CHARS),
    ...(attempts !== undefined && { attempts }),
    firstAtMs: atMs,
    lastAtMs: atMs,
    valueBytes: bytes.value?.length ?? 0,
    state: "archived",
    stateAtMs: nowMs,
    ...(kind === "record" ? eventFacts(bytes) : { redriveCount: 0 }),
  };
}

/**
 * The bytes are part of it, so that the records of a topic that was deleted and made anew are not taken for those of
 * before, which were at the same offsets.
 */
function idOf({ kind, stage, identity, bytes }: Letter): string {
  const hash = createHash("sha256").update(JSON.stringify([kind, stage, identity]));
  for (const part of [bytes.key, bytes.value]) {
    hash.update(`${part?.length ?? "null"}\n`).update(part ?? "");
  }
  return hash.digest("hex").slice(0, ID_HEX_DIGITS);
}

/** An entry under an impossible date would expire at once, or be found by nobody: it counts from now. */
const plausible = (atMs: number, nowMs: number): number =>
  atMs <= nowMs + DAY_MS && atMs > nowMs - (ARCHIVE_RETENTION_DAYS / 2) * DAY_MS ? Math.floor(atMs) : nowMs;
