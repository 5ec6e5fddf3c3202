/**
 * When a new execution environment connects to Kafka. Brokers admit only so many new connections a second, and a burst
 * makes many environments at once: each of those waits for a moment of its own, and sends its requests to the spillway
 * until then. One that starts alone connects with its first request.
 *
 * Who starts alone is told by the signals table: each new environment leaves a mark there, and looks for one that is no
 * older than the window. Those that start within the few milliseconds that this takes do not see each other; they are
 * some, where without it they would be all.
 *
 * Nothing happens in the background: an environment is frozen between requests, and a connection that is half made with
 * it. The first request after the moment connects, as the first of all would have done.
 */
import { type LoadSignal, startingSignal } from "../../contracts/signals.ts";
import type { SignalsTable } from "../../runtime/signals.ts";

/** Telling is a kindness: a request does not wait longer for it. */
const TELL_TIMEOUT_MS = 300;

export class FirstConnection {
  readonly #windowMs: number;
  readonly #random: () => number;
  /** Undefined before the first request. */
  #fromMs: number | undefined;

  /**
   * @param windowMs over which environments spread that start together; 0: brokers admit as many as can start
   * @param random from 0 up to 1, as Math.random
   */
  constructor(windowMs: number, random: () => number) {
    this.#windowMs = windowMs;
    this.#random = random;
  }

  /**
   * Before each request; only the first counts. Resolves once others can know of it, and never rejects: who cannot be
   * told connects at once, as everybody does where the signals cannot be read.
   */
  async begin(
    signals: readonly LoadSignal[],
    table: Pick<SignalsTable, "write">,
    nowMs: number,
  ): Promise<void> {
    if (this.#fromMs !== undefined) return;
    this.#fromMs = nowMs;
    if (this.#windowMs === 0) return;
    const isMark = ({ stage, source, atMs }: LoadSignal): boolean =>
      stage === startingSignal.stage &&
      source === startingSignal.source &&
      Math.abs(nowMs - atMs) < this.#windowMs;
    if (signals.some(isMark)) this.#fromMs += this.#random() * this.#windowMs;
    const mark = { ...startingSignal, topics: [], load: 0, atMs: nowMs };
    await table.write(mark, AbortSignal.timeout(TELL_TIMEOUT_MS)).catch(() => undefined);
  }

  /** Whether Kafka may be asked. */
  isDue(nowMs: number): boolean {
    return this.#fromMs !== undefined && nowMs >= this.#fromMs;
  }
}
