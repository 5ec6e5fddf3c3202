/**
 * How events reach the platform. Nothing is delivered before it happened, and what is not late is delivered less than
 * {@link OUT_OF_ORDER_MS} after. So when an event arrives, every earlier arrival's time lies less than that ahead of
 * its own: the bound that a pipeline needs.
 */
import type { Random } from "../chaos/random.ts";
import { exponential } from "./distributions.ts";

/** What arrives has an event time less than this behind the highest so far, except what is stated as late. */
export const OUT_OF_ORDER_MS = 2 * 60_000;

/** Between a server's event and its arrival, on average. */
const SERVER_DELAY_MS = 300;
/** A mobile client sends what it has gathered this often, to spare its battery. */
const FLUSH_EVERY_MS = 45_000;
/** How long a flush takes to arrive, and how far apart its events then are, at most. */
const FLUSH_DELAY_MS = 5_000;
const BURST_SPREAD_MS = 2_000;
/** Share of the flushes that find no network, and how long they then wait beyond the bound, on average. */
const OFFLINE_SHARE = 0.003;
const OFFLINE_MS = 10 * 60_000;

export interface Arrival {
  readonly arrivalMs: number;
  /** Whether it may come later than the bound allows. */
  readonly late: boolean;
}

/** Chooses when an event of `timeMs` arrives; called in the order of the events' times. */
export type Route = (timeMs: number) => Arrival;

/** From a server: at once, as networks have it. */
export const serverRoute =
  (random: Random): Route =>
  (timeMs) => ({ arrivalMs: timeMs + withinBound(exponential(random, SERVER_DELAY_MS)), late: false });

/** By any of several systems: with a delay that may be anything the bound allows, so that any order occurs. */
export const scatteredRoute =
  (random: Random): Route =>
  (timeMs) => ({ arrivalMs: timeMs + withinBound(random.next() * OUT_OF_ORDER_MS), late: false });

/** From one mobile client: what happened between two flushes comes in one burst, shuffled; some bursts are late. */
export function mobileRoute(random: Random): Route {
  const phaseMs = random.between(0, FLUSH_EVERY_MS - 1);
  let flushMs = Number.NEGATIVE_INFINITY;
  let sent: Arrival = { arrivalMs: flushMs, late: false };
  return (timeMs) => {
    if (timeMs >= flushMs) {
      flushMs = (Math.floor((timeMs + phaseMs) / FLUSH_EVERY_MS) + 1) * FLUSH_EVERY_MS - phaseMs;
      const late = random.next() < OFFLINE_SHARE;
      const delayMs =
        random.next() * FLUSH_DELAY_MS + (late ? OUT_OF_ORDER_MS + exponential(random, OFFLINE_MS) : 0);
      sent = { arrivalMs: flushMs + Math.floor(delayMs), late };
    }
    return { ...sent, arrivalMs: sent.arrivalMs + random.between(0, BURST_SPREAD_MS) };
  };
}

/** A delay in whole milliseconds, cut to what the bound allows. */
const withinBound = (delayMs: number): number => Math.min(Math.floor(delayMs), OUT_OF_ORDER_MS - 1);

/** Share of the events whose acknowledgement is lost, so that the client sends them again. */
const RETRY_SHARE = 0.01;
const RETRY_AFTER_MS = 5_000;

/** When a client sends an event again that it sent before, if it does. A retry keeps to the bound as its event does. */
export function retryOf(random: Random, timeMs: number, { arrivalMs, late }: Arrival): number | undefined {
  if (random.next() >= RETRY_SHARE) return undefined;
  const againMs = arrivalMs + Math.floor(exponential(random, RETRY_AFTER_MS));
  return late ? againMs : Math.min(againMs, timeMs + OUT_OF_ORDER_MS - 1);
}
