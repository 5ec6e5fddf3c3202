/** When an event happened, and whether that can be true. */
import type { InputDefinition } from "../pipeline/definition.ts";
import { Rejection, rejectionOf } from "./rejection.ts";

/** Half of what a date can hold: the windows around an event's time begin and end at dates too. */
const MAX_TIME_MS = 4.32e15;

/** @throws Rejection where the event has no time, or one too far ahead of its arrival */
export function eventTimeOf({ source }: InputDefinition, event: unknown, arrivalMs: number): number {
  const timeMs = rejectionOf("missing-time", () => source.time(event));
  // Written so that NaN, and what is no number at all, is refused as well.
  if (!(typeof timeMs === "number" && Math.abs(timeMs) <= MAX_TIME_MS)) {
    throw new Rejection("missing-time", "the event has no valid time");
  }
  const boundMs = source.futureBoundMs(event);
  if (timeMs > arrivalMs + boundMs) {
    throw new Rejection("too-far-ahead", `time is more than ${boundMs} ms ahead of the record's arrival`);
  }
  return timeMs;
}
