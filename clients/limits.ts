/** What a sender may hold, and how long it tries. */
import { maxEventBytes, maxEventsPerRequest } from "../contracts/limits.ts";

export interface SenderLimits {
  /** Events of a batch; a loaded platform makes it fewer. @default 1,000, the most that a request may hold */
  readonly maxBatchEvents: number;
  /** How long the first event of a batch waits for more. @default 50 */
  readonly lingerMs: number;
  /** Events that may wait or be under way; `send` waits for room beyond. @default 10,000 */
  readonly maxBufferedEvents: number;
  /** The same in bytes, as JSON. At least one event must fit. @default 64 MiB */
  readonly maxBufferedBytes: number;
  /** Requests that an event is part of, at most. A refusal of its batch for its size is none. @default 20 */
  readonly maxAttempts: number;
  /** After which an event that has not gone is given up. It may last longer while it is under way. @default 10 min */
  readonly maxAgeMs: number;
  /** Without an answer, a request counts as lost. @default 35,000: the gateway answers within 30 s */
  readonly requestTimeoutMs: number;
}

export const defaultLimits: SenderLimits = {
  maxBatchEvents: maxEventsPerRequest,
  lingerMs: 50,
  maxBufferedEvents: 10_000,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxAttempts: 20,
  maxAgeMs: 10 * 60_000,
  requestTimeoutMs: 35_000,
};

/** What each may be, both included. */
const ranges: Readonly<Record<keyof SenderLimits, readonly [min: number, max: number]>> = {
  maxBatchEvents: [1, maxEventsPerRequest],
  lingerMs: [0, 60_000],
  maxBufferedEvents: [1, 10_000_000],
  maxBufferedBytes: [maxEventBytes, Number.MAX_SAFE_INTEGER],
  maxAttempts: [1, 1_000],
  maxAgeMs: [1, 24 * 3_600_000],
  requestTimeoutMs: [1, 15 * 60_000],
};

/** @throws RangeError that names the first limit which is none */
export function checkLimits(limits: SenderLimits): void {
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = limits[name as keyof SenderLimits];
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    throw new RangeError(`${name} is ${value}; it must be a whole number from ${min} to ${max}`);
  }
}
