/**
 * A redrive: entries of the archive, oldest first, back to the topics of their events. Each is claimed in the index,
 * sent, and marked as redriven. One that dies between leaves an entry claimed, whose event may have been sent or not:
 * sending it again is harmless, as pipelines count (source, id) once.
 */
import {
  type ArchiveEntry,
  type RedriveAnswer,
  type RedriveOutcome,
  type RedriveProgress,
  type RedriveRequest,
  redriveOutcomes,
} from "../../contracts/dead-letter-archive.ts";
import type { DoorRules } from "../../contracts/producers.ts";
import type { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import type { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import { forEachBounded } from "../../runtime/for-each-bounded.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import type { OutgoingEvent } from "../ingest/judge.ts";
import { revalidate, type Verdict } from "./revalidate.ts";

const MAX_CHUNK_ENTRIES = 50;
/** Under the 50 connections that the AWS clients keep. */
const MAX_IN_FLIGHT = 32;
/** A share of fewer says nothing. */
const MIN_JUDGED = 20;
const MAX_PROBLEMS = 20;
const PUBLISH_TIMEOUT_MS = 15_000;
/** For a chunk that is under way: its sends, and its writes to the index. */
const END_MARGIN_MS = 30_000;

export interface RedrivePorts {
  readonly objects: Pick<ArchiveObjects, "get">;
  readonly index: Pick<ArchiveIndex, "entries" | "claim" | "finish" | "release" | "countCameBack">;
  /** What the producers of Kinesis doors may send. */
  readonly doors: DoorRules;
  readonly publisher: Pick<RecordPublisher, "publish">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

interface Judged {
  readonly entry: ArchiveEntry;
  readonly verdict: Verdict;
}

/**
 * Works through the selection until its end, its failure limit, or the time is over. Rejects where a store is away; what
 * is under way then stays claimed.
 */
export async function redrive(
  request: RedriveRequest,
  remainingMs: () => number,
  ports: RedrivePorts,
): Promise<RedriveAnswer> {
  const { execute, redriveId, ratePerSecond } = request;
  let progress = request.progress ?? noProgress;
  for await (const chunk of chunksOf(request, progress, ports)) {
    const startedMs = ports.now();
    const judged = await judge(chunk, redriveId, ports);
    const sent = execute ? await send(judged, redriveId, ports) : { outcomes: judged.map(outcomeOf) };
    progress = addOutcomes(progress, chunk, sent.outcomes, judged);
    if ("unavailable" in sent) return { end: "stopped", reason: sent.unavailable, progress };
    if (execute) {
      progress = { ...progress, cameBack: await ports.index.countCameBack(redriveId) };
      const reason = tooManyFailures(progress, request.maxFailureShare);
      if (reason !== undefined) return { end: "stopped", reason, progress };
      await ports.sleep(Math.max(0, startedMs + (1_000 * chunk.length) / ratePerSecond - ports.now()));
    }
    if (remainingMs() < END_MARGIN_MS) return { end: "more", progress };
  }
  return { end: "done", progress };
}

const noProgress: RedriveProgress = {
  counts: Object.fromEntries(redriveOutcomes.map((outcome) => [outcome, 0])) as RedriveProgress["counts"],
  cameBack: 0,
  problems: {},
};

async function* chunksOf(
  { selection, ratePerSecond, maxEntries = Number.POSITIVE_INFINITY }: RedriveRequest,
  { counts, after }: RedriveProgress,
  { index, now }: RedrivePorts,
): AsyncGenerator<readonly ArchiveEntry[]> {
  const size = Math.min(MAX_CHUNK_ENTRIES, Math.max(1, Math.floor(ratePerSecond)));
  let left = maxEntries - Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (left <= 0) return;
  let chunk: ArchiveEntry[] = [];
  for await (const entry of index.entries(selection, "oldest first", now(), after)) {
    chunk.push(entry);
    left -= 1;
    if (chunk.length === size || left === 0) {
      yield chunk;
      chunk = [];
    }
    if (left === 0) return;
  }
  if (chunk.length > 0) yield chunk;
}

async function judge(
  chunk: readonly ArchiveEntry[],
  redriveId: string,
  { objects, doors, now }: RedrivePorts,
): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  await forEachBounded([...chunk.entries()], MAX_IN_FLIGHT, async ([place, entry]) => {
    const bytes = await objects.get(entry.id);
    judged[place] = { entry, verdict: revalidate(entry, bytes, redriveId, now(), doors) };
  });
  return judged;
}

const outcomeOf = ({ verdict }: Judged): RedriveOutcome => verdict.kind;

async function send(
  judged: readonly Judged[],
  redriveId: string,
  { index, publisher, now }: RedrivePorts,
): Promise<{ outcomes: RedriveOutcome[]; unavailable?: string }> {
  const outcomes = judged.map(outcomeOf);
  const claimed: { place: number; entry: ArchiveEntry; events: readonly OutgoingEvent[] }[] = [];
  await forEachBounded([...judged.entries()], MAX_IN_FLIGHT, async ([place, { entry, verdict }]) => {
    if (verdict.kind !== "ready") return;
    if (await index.claim(entry, redriveId, now())) claimed.push({ place, entry, events: verdict.events });
    else outcomes[place] = "contended";
  });
  // Claims end in any order; events of a key keep that of their entries.
  claimed.sort((a, b) => a.place - b.place);
  try {
    await publisher.publish(
      claimed.flatMap(({ events }) => events),
      PUBLISH_TIMEOUT_MS,
    );
  } catch (error) {
    if (!(error instanceof KafkaUnavailableError)) throw error;
    await forEachBounded(claimed, MAX_IN_FLIGHT, async ({ entry }) => {
      await index.release(entry, redriveId, now());
    });
    return { outcomes: outcomes.filter((outcome) => outcome !== "ready"), unavailable: error.message };
  }
  await forEachBounded(claimed, MAX_IN_FLIGHT, async ({ place, entry }) => {
    await index.finish(entry, redriveId, now());
    outcomes[place] = "redriven";
  });
  return { outcomes };
}

function addOutcomes(
  progress: RedriveProgress,
  chunk: readonly ArchiveEntry[],
  outcomes: readonly RedriveOutcome[],
  judged: readonly Judged[],
): RedriveProgress {
  const counts = { ...progress.counts };
  for (const outcome of outcomes) counts[outcome] += 1;
  const problems: Record<string, number> = { ...progress.problems };
  for (const { verdict } of judged) {
    if (verdict.kind !== "refused") continue;
    const { problem } = verdict;
    if (!(problem in problems) && Object.keys(problems).length >= MAX_PROBLEMS) continue;
    problems[problem] = (problems[problem] ?? 0) + 1;
  }
  const { id, firstAtMs } = chunk.at(-1)!;
  return { ...progress, counts, problems, after: { id, firstAtMs } };
}

/**
 * What failed: events that the door's rules refuse, whose bytes are gone, or that this redrive sent and that are in the
 * archive again. What is no event, or was redriven too often, was never tried.
 */
function tooManyFailures({ counts, cameBack }: RedriveProgress, maxFailureShare: number): string | undefined {
  const failed = counts.refused + counts.gone + cameBack;
  const judged = counts.redriven + counts.refused + counts.gone;
  if (judged < MIN_JUDGED || failed <= maxFailureShare * judged) return undefined;
  return `${failed} of ${judged} events failed, which is more than a share of ${maxFailureShare}`;
}
