/** Trying again: everything the worker asks of the log and the store may fail for a while. */
import type { Clock } from "./ports.ts";

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5_000;

/** The task was stopped while it waited; nothing is wrong. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** @throws StoppedError where the signal has aborted */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new StoppedError("stopped");
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether the error may go away by itself; others are thrown at once. */
  readonly retriable: (error: Error) => boolean;
  readonly onRetry: (error: Error) => void;
}

/**
 * Runs `attempt` until it succeeds, with delays that double from 50 ms to 5 s.
 * @throws StoppedError once the signal aborts; the attempt's own error where it is not retriable
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, signal, retriable, onRetry } = options;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    throwIfStopped(signal);
    try {
      return await attempt();
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (signal.aborted) throw new StoppedError("stopped", { cause: error });
      if (!retriable(error)) throw error;
      onRetry(error);
      await clock.sleep(delayMs, signal);
    }
  }
}
