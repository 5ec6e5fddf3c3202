/** What one task has at the gate of a service: the questions that it asked and that wait, in the order of its records. */
import type { Enrichment } from "../pipeline/enrichment.ts";
import type { Answer, SkipCause } from "../task/enquiry.ts";
import type { ServiceGate } from "./service-gate.ts";

export interface LineOptions {
  /** Tasks of the pipeline, everywhere. */
  readonly partitions: number;
  /** Aborts when the task ends: then nothing is asked or answered any more. */
  readonly signal: AbortSignal;
  /** Some of what was asked is answered. */
  readonly onAnswered: () => void;
  /** An attempt failed; it may be made again. */
  readonly onFailure: (error: Error) => void;
}

export interface Waiter {
  readonly line: ServiceLine;
  readonly take: (answer: Answer) => void;
}

/** A question that nobody has answered yet, and everybody who asks it. */
export interface OpenQuestion {
  readonly text: string;
  waiters: Waiter[];
  /** In whose line it counts. */
  owner: ServiceLine;
  /** Null while it waits in its owner's queue. */
  call: ServiceCall | null;
}

export interface ServiceCall {
  questions: readonly OpenQuestion[];
  /** From 1. */
  attempt: number;
  /** How often the service has refused to take it. */
  refusals: number;
  /** When it may be made. */
  dueMs: number;
  readonly abandoned: AbortController;
}

export class ServiceLine {
  readonly options: LineOptions;
  readonly queue: OpenQuestion[] = [];
  /** Questions of its own that are open, queued or not. */
  open = 0;
  readonly #gate: ServiceGate;
  readonly #enrich: Pick<Enrichment, "onFailure" | "skipAboveWaitingRecords">;
  #isBehind = false;

  constructor(gate: ServiceGate, enrich: Enrichment, options: LineOptions) {
    this.#gate = gate;
    this.#enrich = enrich;
    this.options = options;
  }

  /** Whether it may ask more. What is needed now may be asked all the same. */
  get hasRoom(): boolean {
    return this.open < this.#gate.maxOpenQuestions;
  }

  /**
   * So many records of the task wait, those that are not fetched included. Where there are too many an optional service
   * is not asked, until they are half of that.
   */
  waiting(records: number): void {
    const limit = this.#enrich.skipAboveWaitingRecords ?? Number.POSITIVE_INFINITY;
    this.#isBehind = records > (this.#isBehind ? limit / 2 : limit);
  }

  /**
   * Asks, where the answer is not known; calls are made at the next {@link call}.
   * @param take is called later, where no answer is returned
   * @param first whether it goes before what the line asked already
   */
  ask(question: string, take: (answer: Answer) => void, first: boolean): Answer | undefined {
    // What nobody waits for any more must not stand in the way of who asks the same.
    if (this.options.signal.aborted) return undefined;
    return this.#gate.ask(question, { line: this, take }, first);
  }

  /** Makes the calls that may be made. */
  call(): void {
    this.#gate.call();
  }

  /** Why its questions are not asked now; null: they are, as soon as may be. */
  skipCause(isAway: boolean): SkipCause | null {
    if (isAway && this.#enrich.onFailure === "skip") return "away";
    return this.#isBehind ? "backlog" : null;
  }
}
