/** Events at a steady rate. */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchBroker } from "../streams/broker.ts";
import { type BenchEvent, eventAt, type Stream } from "../streams/events.ts";

const TICK_MS = 10;
/** Of a request: what is late must not make one that the broker refuses. */
const MAX_EVENTS = 2_000;

export interface LoadOptions {
  readonly stream: Stream;
  /** The place in the stream of the first event that is sent. */
  readonly first: number;
  readonly eventsPerS: number;
}

export class SteadyLoad {
  readonly #options: LoadOptions;
  readonly #startedMs = performance.now();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #next: number;

  constructor(broker: BenchBroker, options: LoadOptions) {
    this.#options = options;
    this.#next = options.first;
    this.#running = this.#run(broker);
    // It is awaited by stop().
    this.#running.catch(() => undefined);
  }

  /** The place in the stream of the event that is sent next. */
  get next(): number {
    return this.#next;
  }

  /**
   * When the event at that place was to be sent, by `performance.now()`: one that was sent late has waited already. Null of
   * one that was not sent here.
   */
  dueMs(index: number): number | null {
    const { first, eventsPerS } = this.#options;
    if (index < first || index >= this.#next) return null;
    return this.#startedMs + ((index - first) * 1_000) / eventsPerS;
  }

  /** Resolves once all that was due is in Kafka. Rejects where something could not be sent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(broker: BenchBroker): Promise<void> {
    const { stream, first, eventsPerS } = this.#options;
    while (!this.#stop.signal.aborted) {
      await delay(TICK_MS);
      const due = first + Math.floor(((performance.now() - this.#startedMs) * eventsPerS) / 1_000);
      while (this.#next < due) {
        const events: BenchEvent[] = [];
        for (; this.#next < due && events.length < MAX_EVENTS; this.#next++) {
          events.push(eventAt(stream, this.#next));
        }
        await broker.append(stream.topic, events);
      }
    }
  }
}
