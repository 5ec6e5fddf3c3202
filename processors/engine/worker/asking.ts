/**
 * Asks services about records that wait to be applied (design, section 4, rule 12). It reads ahead of the task, so that
 * many are asked at once; the task takes the answers in the order of the records. What was answered and not applied yet
 * is forgotten where the task ends, and asked again by whoever reads the records again.
 */

import type { RecordBatch } from "../log/port.ts";
import type { Enrichment } from "../pipeline/enrichment.ts";
import type { Enquiries, Enquiry } from "../task/enquiry.ts";
import type { Task } from "../task/task.ts";
import type { Head, Intake } from "./intake.ts";
import type { WorkerContext } from "./ownership.ts";
import type { TaskName } from "./ports.ts";
import { answerOf } from "./service-call.ts";

/** Records that are decoded and wait, for each input; more than calls in flight, since one answer may be slow. */
const MIN_RECORDS_AHEAD = 1_000;
const RECORDS_AHEAD_PER_CALL = 4;

export interface AskingOptions {
  readonly context: Pick<WorkerContext, "definition" | "clock" | "observer" | "ask">;
  readonly name: TaskName;
  readonly task: Task;
  readonly intake: Pick<Intake, "waiting">;
  /** Aborts when the task ends: then nothing is asked or answered any more. */
  readonly signal: AbortSignal;
  readonly onAnswer: () => void;
}

/** What was read ahead of an input, in the order of its records. */
interface Ahead {
  readonly enrich: Enrichment;
  readonly maxRecords: number;
  readonly enquiries: Map<number, Enquiry>;
  /** The next record to look at. */
  batch: RecordBatch | undefined;
  next: number;
  /** What the task waits for. */
  needed: Enquiry | undefined;
}

/** A question that is being asked, and whose it is. */
type Call = { readonly enquiry: Enquiry; readonly element: number }[];

export class Asking implements Enquiries {
  readonly #options: AskingOptions;
  readonly #aheads: readonly (Ahead | null)[];
  readonly #calls = new Map<string, Call>();

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#aheads = options.context.definition.inputs.map(({ enrich }) =>
      enrich === null ? null : newAhead(enrich),
    );
  }

  of(input: number, offset: number): Enquiry | undefined {
    return this.#aheads[input]!.enquiries.get(offset);
  }

  /** Whether the input's next record waits for an answer. */
  blocks(input: number): boolean {
    const needed = this.#aheads[input]?.needed;
    return needed !== undefined && !needed.complete;
  }

  /** The task came to a record that it cannot apply without an answer. */
  need(input: number, { batch, next }: Head): void {
    const ahead = this.#aheads[input]!;
    const offset = batch.offset(next);
    ahead.needed = ahead.enquiries.get(offset) ?? this.#enquire(ahead, batch, next, true) ?? undefined;
  }

  /** The task has applied an input's records up to this offset. */
  applied(input: number, offset: number): void {
    const ahead = this.#aheads[input];
    if (ahead == null) return;
    for (const asked of ahead.enquiries.keys()) {
      if (asked >= offset) return;
      ahead.enquiries.delete(asked);
    }
  }

  /** Asks about further records that wait, as many as there may be at once. */
  lookAhead(): void {
    for (const [input, ahead] of this.#aheads.entries()) {
      if (ahead === null) continue;
      for (const { batch, next } of this.#options.intake.waiting(input)) {
        if (!this.#lookInto(ahead, batch, next)) break;
      }
    }
  }

  /** Forgets what was read ahead: it is fetched again. Calls go on, and serve whoever asks the same then. */
  clear(): void {
    for (const ahead of this.#aheads) {
      if (ahead === null) continue;
      ahead.enquiries.clear();
      ahead.batch = undefined;
      ahead.next = 0;
      ahead.needed = undefined;
    }
  }

  /** Looks at a batch from where it was left, or from its next record; false where there is no room for more. */
  #lookInto(ahead: Ahead, batch: RecordBatch, next: number): boolean {
    if (ahead.batch !== batch) {
      // Batches are looked at in their order: one that lies before the last was looked at whole.
      if (ahead.batch !== undefined && batch.offset(0) < ahead.batch.offset(0)) return true;
      ahead.batch = batch;
      ahead.next = next;
    }
    for (ahead.next = Math.max(ahead.next, next); ahead.next < batch.count; ahead.next++) {
      if (this.#calls.size >= ahead.enrich.maxInFlight || ahead.enquiries.size >= ahead.maxRecords)
        return false;
      if (!ahead.enquiries.has(batch.offset(ahead.next))) this.#enquire(ahead, batch, ahead.next, false);
    }
    return true;
  }

  #enquire(ahead: Ahead, batch: RecordBatch, index: number, needed: boolean): Enquiry | null {
    const enquiry = this.#options.task.enquire(batch, index, needed);
    if (enquiry === null) return null;
    ahead.enquiries.set(batch.offset(index), enquiry);
    for (const [element, question] of enquiry.questions.entries()) {
      if (question !== null) this.#ask(ahead.enrich, question, enquiry, element);
    }
    return enquiry;
  }

  #ask(enrich: Enrichment, question: string, enquiry: Enquiry, element: number): void {
    const asked = this.#calls.get(question);
    const call = asked ?? [];
    call.push({ enquiry, element });
    if (asked !== undefined) return;
    this.#calls.set(question, call);
    void this.#answer(enrich, question, call);
  }

  async #answer(enrich: Enrichment, question: string, call: Call): Promise<void> {
    const { context, name, signal } = this.#options;
    const answer = await answerOf(enrich, question, {
      ...context,
      signal,
      onFailure: (error) => context.observer.retried(name, `ask ${enrich.service}`, error),
    });
    this.#calls.delete(question);
    if (signal.aborted) return;
    for (const { enquiry, element } of call) enquiry.answer(element, answer);
    this.lookAhead();
    this.#options.onAnswer();
  }
}

const newAhead = (enrich: Enrichment): Ahead => ({
  enrich,
  maxRecords: Math.max(MIN_RECORDS_AHEAD, RECORDS_AHEAD_PER_CALL * enrich.maxInFlight),
  enquiries: new Map(),
  batch: undefined,
  next: 0,
  needed: undefined,
});
