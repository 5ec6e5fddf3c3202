/**
 * The spillway's two streams: topics of high priority have one of their own, so that their events wait behind none of
 * the others, whose stream may be held or paused. A topic's events are all on one of them, in the order that it keeps.
 */
import type { SpilledBatch, SpilledEvent } from "../../contracts/spillway-record.ts";
import { type TopicName, topics } from "../../contracts/topics.ts";
import type { Spillway } from "./spillway.ts";

export class Spillways {
  readonly #high: Pick<Spillway, "put">;
  readonly #others: Pick<Spillway, "put">;

  constructor(high: Pick<Spillway, "put">, others: Pick<Spillway, "put">) {
    this.#high = high;
    this.#others = others;
  }

  /** As {@link Spillway.put}: resolves once both streams hold what is theirs, and rejects where either does not. */
  async put({ events, ...origin }: SpilledBatch, timeoutMs: number): Promise<void> {
    const puts = [
      [this.#high, events.filter(isHigh)],
      [this.#others, events.filter((event) => !isHigh(event))],
    ] as const;
    const outcomes = await Promise.allSettled(
      puts
        .filter(([, own]) => own.length > 0)
        .map(([spillway, own]) => spillway.put({ ...origin, events: own }, timeoutMs)),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

const isHigh = ({ topic }: SpilledEvent): boolean => topics[topic as TopicName].priority === "high";
