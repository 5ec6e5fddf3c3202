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
import type { ServiceGate } from "./service-gate.ts";
import type { ServiceLine } from "./service-line.ts";

/** Records that are decoded and wait, for each input; more than open questions, since one answer may be slow. */
const MIN_RECORDS_AHEAD = 1_000;
const RECORDS_AHEAD_PER_QUESTION = 4;

export interface AskingOptions {
  readonly context: Pick<WorkerContext, "definition" | "observer">;
  readonly name: TaskName;
  readonly task: Task;
  /** Tasks of the pipeline, everywhere. */
  readonly partitions: number;
  readonly intake: Pick<Intake, "waiting" | "backlogOf">;
  /** One for each input; null where it asks nothing. */
  readonly gates: readonly (ServiceGate | null)[];
  /** Aborts when the task ends: then nothing is asked or answered any more. */
  readonly signal: AbortSignal;
  readonly onAnswer: () => void;
}

/** What was read ahead of an input, in the order of its records. */
interface Ahead {
  readonly line: ServiceLine;
  readonly maxRecords: number;
  readonly enquiries: Map<number, Enquiry>;
  /** The next record to look at. */
  batch: RecordBatch | undefined;
  next: number;
  /** What the task waits for. */
  needed: Enquiry | undefined;
}

export class Asking implements Enquiries {
  readonly #options: AskingOptions;
  readonly #aheads: readonly (Ahead | null)[];

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#aheads = options.gates.map((gate, input) => {
      const { enrich } = options.context.definition.inputs[input]!;
      return gate === null ? null : newAhead(enrich!, this.#lineAt(gate, enrich!));
    });
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
    ahead.line.call();
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
    const { intake, task } = this.#options;
    for (const [input, ahead] of this.#aheads.entries()) {
      if (ahead === null) continue;
      ahead.line.waiting(intake.backlogOf(input, task.offsets[input]!));
      for (const { batch, next } of intake.waiting(input)) {
        if (!this.#lookInto(ahead, batch, next)) break;
      }
      ahead.line.call();
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

  #lineAt(gate: ServiceGate, { service }: Enrichment): ServiceLine {
    const { context, name, partitions, signal } = this.#options;
    return gate.open({
      partitions,
      signal,
      onAnswered: () => this.#answered(),
      onFailure: (error) => context.observer.retried(name, `ask ${service}`, error),
    });
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
      if (!ahead.line.hasRoom || ahead.enquiries.size >= ahead.maxRecords) return false;
      if (!ahead.enquiries.has(batch.offset(ahead.next))) this.#enquire(ahead, batch, ahead.next, false);
    }
    return true;
  }

  #enquire(ahead: Ahead, batch: RecordBatch, index: number, needed: boolean): Enquiry | null {
    const enquiry = this.#options.task.enquire(batch, index, needed);
    if (enquiry === null) return null;
    ahead.enquiries.set(batch.offset(index), enquiry);
    for (const [element, question] of enquiry.questions.entries()) {
      if (question === null) continue;
      const known = ahead.line.ask(question, (answer) => enquiry.answer(element, answer), needed);
      if (known !== undefined) enquiry.answer(element, known);
    }
    return enquiry;
  }

  #answered(): void {
    if (this.#options.signal.aborted) return;
    this.lookAhead();
    this.#options.onAnswer();
  }
}

const newAhead = ({ maxInFlight, maxQuestionsPerCall }: Enrichment, line: ServiceLine): Ahead => ({
  line,
  maxRecords: Math.max(MIN_RECORDS_AHEAD, RECORDS_AHEAD_PER_QUESTION * maxInFlight * maxQuestionsPerCall),
  enquiries: new Map(),
  batch: undefined,
  next: 0,
  needed: undefined,
});
