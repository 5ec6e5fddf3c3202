/**
 * Sends event batches through the HTTP door until each is accepted. A partition's batches go one after the other: an
 * hour's flights are a few hundred events, so requests that overtake each other would make events late that never
 * were. The partitions' senders run side by side.
 */
import { setTimeout as delay } from "node:timers/promises";
import { BATCH_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import type { EventBatch } from "../flights/flights.ts";

/** Batches that may wait for a partition's sender, so that a slow one does not hold up the others at once. */
const MAX_QUEUED_BATCHES = 4;
const REQUEST_TIMEOUT_MS = 35_000;
/** How long a batch is sent again before the replay gives up: long enough for a broker's restart. */
const GIVE_UP_AFTER_MS = 120_000;
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 5_000;

export interface ReplayOptions {
  readonly url: string;
  readonly batches: AsyncIterable<EventBatch>;
  /** Called when a batch of so many events was accepted. */
  readonly onAccepted: (events: number) => void;
  /** Called when a request was answered by 429, 5xx or not at all, and will be sent again. */
  readonly onRetry: (why: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves when every batch was accepted whole; rejects at the first that is refused or not taken in time. */
export async function replay({ url, batches, onAccepted, onRetry, signal }: ReplayOptions): Promise<void> {
  const failure = new AbortController();
  const running = AbortSignal.any([signal, failure.signal]);
  const deliver = async (batch: EventBatch) => {
    try {
      await sendUntilAccepted(url, batch, onRetry, running);
      onAccepted(batch.count);
    } catch (error) {
      failure.abort(error);
    }
  };
  const queues = new Map<number, SendQueue>();
  for await (const batch of batches) {
    const queue = queues.get(batch.partition) ?? new SendQueue(deliver);
    queues.set(batch.partition, queue);
    await queue.add(batch);
    if (running.aborted) break;
  }
  await Promise.all([...queues.values()].map((queue) => queue.drained));
  running.throwIfAborted();
}

/** Delivers a partition's batches one after the other. */
class SendQueue {
  readonly #deliver: (batch: EventBatch) => Promise<void>;
  readonly #queued: Promise<void>[] = [];
  /** Resolves when everything that was added so far has been delivered, or given up. */
  drained = Promise.resolve();

  constructor(deliver: (batch: EventBatch) => Promise<void>) {
    this.#deliver = deliver;
  }

  /** Resolves once there is room for the next one. */
  async add(batch: EventBatch): Promise<void> {
    this.drained = this.drained.then(() => this.#deliver(batch));
    this.#queued.push(this.drained);
    if (this.#queued.length > MAX_QUEUED_BATCHES) await this.#queued.shift();
  }
}

async function sendUntilAccepted(
  url: string,
  batch: EventBatch,
  onRetry: (why: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (let backoffMs = FIRST_RETRY_MS; ; backoffMs = Math.min(2 * backoffMs, MAX_RETRY_MS)) {
    const answer = await send(url, batch, signal);
    if (answer.accepted) return;
    if (Date.now() > giveUpAt) {
      throw new Error(`${url} did not take a batch within ${GIVE_UP_AFTER_MS / 1000} s; last: ${answer.why}`);
    }
    onRetry(answer.why);
    // Full jitter, so that the senders that were refused together do not come back together.
    const waitMs = (answer.retryAfterMs ?? 0) + Math.random() * backoffMs;
    await delay(waitMs, undefined, { signal });
  }
}

/** Accepted, or to be sent again. */
type Answer = { readonly accepted: true } | { readonly accepted: false; why: string; retryAfterMs?: number };

/** Throws when the door refuses what was sent: sending it again would change nothing. */
async function send(url: string, { body, count }: EventBatch, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": BATCH_MEDIA_TYPE },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    return { accepted: false, why: reasonOf(error) };
  }
  if (response.status === 429 || response.status >= 500) {
    const retryAfterMs = 1_000 * Number(response.headers.get("retry-after") ?? 0);
    return { accepted: false, why: `status ${response.status}`, retryAfterMs };
  }
  if (response.status !== 202) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 1_000)}`);
  const { accepted } = JSON.parse(text) as { accepted: number };
  if (accepted !== count) {
    throw new Error(`${url} accepted ${accepted} of ${count} valid events: ${text.slice(0, 1_000)}`);
  }
  return { accepted: true };
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
