/** Puts notices on the event bus: each at least once, and hardly ever twice. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Notice } from "../../contracts/notices.ts";
import { fullJitterMs } from "../../flow/backoff.ts";
import { BusUnavailableError } from "../../runtime/errors.ts";
import { forEachBounded } from "../../runtime/for-each-bounded.ts";
import { MAX_NOTICE_BYTES } from "./notice.ts";

const MAX_REQUESTS_IN_FLIGHT = 32;
/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MAX_ENTRIES_PER_PUT = 10;
const BACKOFF = { baseMs: 100, maxMs: 2_000 };

export interface EventBus {
  /**
   * Puts at most ten, which together are no larger than {@link MAX_NOTICE_BYTES}.
   * @returns for each whether the bus took it; all false where the request failed
   */
  put(notices: readonly Notice[]): Promise<readonly boolean[]>;
}

/** Which notices were put on the bus. Both reject with TableUnavailableError. */
export interface NoticeLedger {
  has(id: string): Promise<boolean>;
  add(id: string): Promise<void>;
}

export interface NotifierPorts {
  readonly bus: EventBus;
  readonly ledger: NoticeLedger;
}

/** What happened, for metrics. */
export interface NotifyReport {
  readonly put: number;
  /** Had been put before: their records were delivered again. */
  readonly repeated: number;
}

/**
 * A notice is put first and then entered: after a crash in between it is put again, with the same id, and never lost.
 * So is one that the bus did take while its answer was lost. Rejects with {@link BusUnavailableError} once `timeoutMs`
 * is over, or TableUnavailableError: then the batch is delivered again, and only what was not entered is put again.
 */
export async function notify(
  notices: readonly Notice[],
  timeoutMs: number,
  { bus, ledger }: NotifierPorts,
): Promise<NotifyReport> {
  const known = new Set<string>();
  await forEachBounded(notices, MAX_REQUESTS_IN_FLIGHT, async ({ id }) => {
    if (await ledger.has(id)) known.add(id);
  });
  let waiting = notices.filter(({ id }) => !known.has(id));
  const put = waiting.length;
  const deadlineMs = Date.now() + timeoutMs;
  for (let failures = 0; waiting.length > 0; ) {
    const refused: Notice[] = [];
    for (const batch of batchesOf(waiting)) {
      const taken = await bus.put(batch);
      refused.push(...batch.filter((_, index) => !taken[index]));
      const entered = batch.filter((_, index) => taken[index]);
      await forEachBounded(entered, MAX_REQUESTS_IN_FLIGHT, ({ id }) => ledger.add(id));
    }
    waiting = refused;
    if (refused.length === 0) break;
    failures += 1;
    const waitMs = fullJitterMs(failures, BACKOFF, Math.random);
    if (Date.now() + waitMs >= deadlineMs) throw busUnavailable(refused.length);
    await sleep(waitMs);
  }
  return { put, repeated: known.size };
}

/** As many as fit a request, in their order. */
export function batchesOf(notices: readonly Notice[]): Notice[][] {
  const batches: Notice[][] = [];
  let bytes = 0;
  for (const notice of notices) {
    const size = Buffer.byteLength(JSON.stringify(notice));
    const last = batches.at(-1);
    if (last !== undefined && last.length < MAX_ENTRIES_PER_PUT && bytes + size <= MAX_NOTICE_BYTES) {
      last.push(notice);
      bytes += size;
    } else {
      batches.push([notice]);
      bytes = size;
    }
  }
  return batches;
}

const busUnavailable = (count: number): BusUnavailableError =>
  new BusUnavailableError(
    `The event bus did not take ${count} notices in time.`,
    "Nothing: the mapping delivers the batch again. If it lasts, look at the bus's quota of PutEvents and the role.",
  );
