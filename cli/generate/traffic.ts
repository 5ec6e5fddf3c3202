/** What all streams have in common: visits, hot users, retries, and that exactly so many events are delivered. */
import { type CloudEvent, SPEC_VERSION } from "../../contracts/cloudevent.ts";
import type { DataOf, EventDefinition } from "../../contracts/events/catalogue.ts";
import { Random } from "../chaos/random.ts";
import { ArrivalQueue } from "./arrival-queue.ts";
import { type Arrival, OUT_OF_ORDER_MS, type Route, retryOf, serverRoute } from "./delivery.ts";
import { HOT_USER_ID } from "./users.ts";

export interface GenerateOptions {
  /** How many to deliver, retries included. */
  readonly events: number;
  readonly seed: number;
  /** How many different users there are, beside the hot one. */
  readonly users: number;
  /** Share of the events that one user makes, from 0 to below 1. */
  readonly hotShare: number;
}

/** An event before it has an id. */
export interface Happening {
  readonly timeMs: number;
  readonly route: Route;
  readonly type: string;
  /** Whose it is: the Kafka key. */
  readonly subject: string;
  readonly data: object;
  /** Called with the event's id when it is delivered, once. */
  readonly delivered?: (id: string) => void;
}

/** What one user does in one go, in order of time. */
export type Visit = readonly [Happening, ...Happening[]];

export interface Stream {
  readonly name: string;
  /** Visits in order of their first happening's time, without end. */
  visits(options: GenerateOptions): Iterator<Visit, never>;
  /** One of the hot user's events. */
  hotHappening(random: Random, timeMs: number): Omit<Happening, "route">;
  /** What else is known to be true once all is delivered. */
  truth(): readonly Truth[];
}

/** A line of the ground truth. */
export type Truth = Readonly<Record<string, unknown>> & { readonly kind: string };

export interface Delivered {
  /** The event as JSON. */
  readonly line: string;
  /** What to know of it: that it may be late, or that it is a retry. */
  readonly truth: readonly Truth[];
}

interface UnderWay {
  readonly line: string;
  readonly id: string;
  readonly late: boolean;
  readonly retry: boolean;
  readonly delivered: ((id: string) => void) | undefined;
}

/** The catalogue's type and data keep each other company. */
export const happening = <D extends EventDefinition>(
  definition: D,
  timeMs: number,
  route: Route,
  data: DataOf<D>,
): Happening => ({ timeMs, route, ...dataOf(definition, data) });

/** What an event says, and whose it is. */
export const dataOf = <D extends EventDefinition>(
  { type, partitionKey }: D,
  data: DataOf<D>,
): Pick<Happening, "type" | "subject" | "data"> => ({
  type,
  subject: String((data as Readonly<Record<string, unknown>>)[partitionKey]),
  data: data as object,
});

/** The hot user acts within this after each that it is measured by. */
const HOT_SPREAD_MS = 1_000;

/** The streams of numbers that a seed gives; a stream's own visits have one more. */
const VISITS = 0;
const DELIVERY = 1;

export const visitsRandom = (seed: number): Random => new Random(seed, VISITS);

/** Delivers a stream's events in order of arrival. The same options give the same events. */
export function* deliver(stream: Stream, options: GenerateOptions): Generator<Delivered, void> {
  const traffic = new Traffic(stream, options);
  for (let left = options.events; left > 0; left--) yield traffic.next();
}

class Traffic {
  readonly #stream: Stream;
  readonly #random: Random;
  readonly #queue = new ArrivalQueue<UnderWay>();
  readonly #visits: Iterator<Visit, never>;
  readonly #hotPerOther: number;
  readonly #hotRoute: Route;
  #next: Visit;
  #hotOwed = 0;
  #ids = 0;

  constructor(stream: Stream, options: GenerateOptions) {
    this.#stream = stream;
    this.#random = new Random(options.seed, DELIVERY);
    this.#visits = stream.visits(options);
    this.#hotPerOther = options.hotShare / (1 - options.hotShare);
    this.#hotRoute = serverRoute(this.#random);
    this.#next = this.#visits.next().value;
  }

  next(): Delivered {
    for (;;) {
      // Nothing that starts later can arrive before it starts.
      const item = this.#queue.takeBefore(this.#next[0].timeMs);
      if (item !== undefined) return toDelivered(item);
      for (const each of this.#next) this.#send(each);
      this.#next = this.#visits.next().value;
    }
  }

  #send(each: Happening): void {
    this.#enqueue(each);
    for (this.#hotOwed += this.#hotPerOther; this.#hotOwed >= 1; this.#hotOwed--) {
      const timeMs = each.timeMs + this.#random.between(0, HOT_SPREAD_MS);
      this.#enqueue({ ...this.#stream.hotHappening(this.#random, timeMs), route: this.#hotRoute });
    }
  }

  #enqueue({ timeMs, route, type, subject, data, delivered }: Happening): void {
    const arrival: Arrival = route(timeMs);
    this.#ids += 1;
    const id = String(this.#ids);
    const event = toEvent(this.#stream.name, id, type, timeMs, subject, data);
    const item = { line: JSON.stringify(event), id, late: arrival.late, retry: false, delivered };
    this.#queue.put(arrival.arrivalMs, item);
    const againMs = retryOf(this.#random, timeMs, arrival);
    if (againMs !== undefined) this.#queue.put(againMs, { ...item, retry: true, delivered: undefined });
  }
}

function toDelivered({ line, id, late, retry, delivered }: UnderWay): Delivered {
  delivered?.(id);
  return {
    line,
    truth: [...(late ? [{ kind: "late", id }] : []), ...(retry ? [{ kind: "duplicate", id }] : [])],
  };
}

const toEvent = (
  stream: string,
  id: string,
  type: string,
  timeMs: number,
  subject: string,
  data: object,
): CloudEvent => ({
  specversion: SPEC_VERSION,
  id,
  source: `urn:spillway:generate:${stream}`,
  type,
  time: new Date(timeMs).toISOString(),
  subject,
  partitionkey: subject,
  datacontenttype: "application/json",
  data,
});

/** What a stream was made with, and what a pipeline has to allow for. */
export const parametersOf = ({ name }: Stream, options: GenerateOptions): Truth => ({
  kind: "parameters",
  stream: name,
  ...options,
  hotUserId: options.hotShare > 0 ? HOT_USER_ID : null,
  outOfOrderMs: OUT_OF_ORDER_MS,
});
