/** Reads results back as anyone would: `GET /results/{pipeline}/{key}?from=&to=`, page by page. */
import { setTimeout as delay } from "node:timers/promises";
import type { WindowResult } from "./windows.ts";

const KEYS_IN_FLIGHT = 6;
/** Of a key with a window every hour, so that its range takes several pages. */
const WINDOWS_PER_PAGE = 200;
const GIVE_UP_AFTER_MS = 60_000;
const RETRY_MS = 200;

export interface ResultRange {
  /** Base URL of the query API. */
  readonly url: string;
  readonly pipeline: string;
  /** Start of the first window, and one past the start of the last, in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface QueryHandlers {
  onWindow(window: WindowResult): void;
  /** How long a page took that was answered well. */
  onPage(latencyMs: number): void;
}

interface Page {
  readonly items: readonly {
    readonly key: string;
    /** RFC 3339. */
    readonly window: { readonly start: string; readonly end: string };
    readonly value: Readonly<Record<string, unknown>>;
  }[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** Tells `handlers` of every window of every key in the range; order is by key and time only within a key. */
export async function readWindows(
  range: ResultRange,
  keys: readonly string[],
  handlers: QueryHandlers,
  signal: AbortSignal,
): Promise<void> {
  const pending = keys.values();
  const readInTurn = async () => {
    for (const key of pending) await readKey(range, key, handlers, signal);
  };
  await Promise.all(Array.from({ length: KEYS_IN_FLIGHT }, readInTurn));
}

async function readKey(
  { url, pipeline, fromMs, toMs }: ResultRange,
  key: string,
  handlers: QueryHandlers,
  signal: AbortSignal,
): Promise<void> {
  const address = new URL(`${url}/results/${encodeURIComponent(pipeline)}/${encodeURIComponent(key)}`);
  address.searchParams.set("from", new Date(fromMs).toISOString());
  address.searchParams.set("to", new Date(toMs).toISOString());
  address.searchParams.set("limit", String(WINDOWS_PER_PAGE));
  for (;;) {
    const { items, next } = await getPage(address, handlers, signal);
    for (const { key, window, value } of items) {
      handlers.onWindow({ key, startMs: Date.parse(window.start), endMs: Date.parse(window.end), value });
    }
    if (next === undefined) return;
    address.searchParams.set("next", next);
  }
}

/** A page; asks again where the API is throttled or a server failed. */
async function getPage(address: URL, { onPage }: QueryHandlers, signal: AbortSignal): Promise<Page> {
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const startedMs = performance.now();
    const response = await fetch(address, { signal });
    const text = await response.text();
    if (response.ok) {
      onPage(performance.now() - startedMs);
      return JSON.parse(text) as Page;
    }
    const retried = response.status === 429 || response.status >= 500;
    if (!retried || Date.now() > giveUpAt) {
      throw new Error(`${address.href} answered ${response.status}: ${text.slice(0, 1_000)}`);
    }
    await delay(RETRY_MS * (1 + Math.random()), undefined, { signal });
  }
}
