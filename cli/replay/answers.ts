/** What services answer in a replay: each question is asked once, so that a crash meets the same answers again. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { InputDefinition } from "../../processors/engine/pipeline/definition.ts";
import type { Enrichment } from "../../processors/engine/pipeline/enrichment.ts";
import { type Answer, enquiryInto, type KnownAnswer } from "../../processors/engine/task/enquiry.ts";
import { Rejection } from "../../processors/engine/task/rejection.ts";
import { ServiceGate } from "../../processors/engine/worker/service-gate.ts";
import { UsageError } from "../command.ts";

const clock = {
  nowMs: () => performance.now(),
  sleep: (ms: number, until: AbortSignal) => delay(ms, undefined, { signal: until }).catch(() => undefined),
};

export class Answers {
  readonly #given = new Map<string, Answer>();
  readonly #gates = new Map<Enrichment, ServiceGate>();
  /** What a file says; null: services are called. */
  readonly #recorded: ReadonlyMap<string, Answer> | null;

  constructor(recorded: ReadonlyMap<string, Answer> | null = null) {
    this.#recorded = recorded;
  }

  readonly to: KnownAnswer = (question) => this.#given.get(question);

  /**
   * Asks whatever was not asked yet about these records.
   * @throws the signal's reason once it aborts
   */
  async askAbout(input: InputDefinition, values: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const { enrich } = input;
    if (enrich === null) return;
    const questions = new Set(values.flatMap((value) => questionsAbout(input, value)));
    const open = [...questions].filter((question) => !this.#given.has(question));
    if (this.#recorded === null) return this.#call(enrich, open, signal);
    for (const question of open) {
      this.#given.set(question, this.#recorded.get(question) ?? { failure: "the file of answers has none" });
    }
  }

  /** As a processor calls: within the limits that the pipeline states, as the only one. */
  async #call(enrich: Enrichment, questions: readonly string[], signal: AbortSignal): Promise<void> {
    let left = questions.length;
    if (left === 0) return;
    signal.throwIfAborted();
    const done = Promise.withResolvers<void>();
    const stop = () => done.reject(signal.reason);
    signal.addEventListener("abort", stop);
    const over = new AbortController();
    const take = (question: string, answer: Answer): void => {
      this.#given.set(question, answer);
      left -= 1;
      if (left === 0) done.resolve();
    };
    const line = this.#gateOf(enrich).open({
      partitions: 1,
      signal: AbortSignal.any([signal, over.signal]),
      onAnswered: () => undefined,
      onFailure: () => undefined,
    });
    for (const question of questions) {
      const known = line.ask(question, (answer) => take(question, answer), false);
      if (known !== undefined) take(question, known);
    }
    line.call();
    try {
      await done.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      over.abort();
    }
  }

  #gateOf(enrich: Enrichment): ServiceGate {
    const gate = this.#gates.get(enrich) ?? new ServiceGate({ enrich, clock });
    this.#gates.set(enrich, gate);
    return gate;
  }
}

function questionsAbout(input: InputDefinition, value: Uint8Array): string[] {
  try {
    const questions = enquiryInto(input, value)?.questions ?? [];
    return questions.filter((question): question is string => question !== null);
  } catch (error) {
    // The task will meet the same, and say in a dead letter what it is.
    if (error instanceof Rejection) return [];
    throw error;
  }
}

/**
 * Reads a file of answers: a line is `{"question": "…", "answer": …}`, or has a `failure`, or `skipped`, instead of the answer.
 * @throws UsageError where it cannot be read
 */
export function readAnswers(path: string): ReadonlyMap<string, Answer> {
  const lines = readLines(path);
  const answers = new Map<string, Answer>();
  for (const [index, line] of lines.entries()) {
    if (line !== "") answers.set(...answerIn(line, `${path}, line ${index + 1}`));
  }
  return answers;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/);
  } catch (cause) {
    throw new UsageError(`--answers ${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function answerIn(line: string, where: string): [question: string, answer: Answer] {
  const { question, answer, failure, skipped } = parsed(line) ?? {};
  if (typeof question === "string" && typeof failure === "string") return [question, { failure }];
  if (typeof question === "string" && (skipped === "away" || skipped === "backlog"))
    return [question, { skipped }];
  if (typeof question === "string" && answer !== undefined)
    return [question, { json: JSON.stringify(answer) }];
  throw new UsageError(
    `${where}: a line must be {"question": "…", "answer": …}, or have "failure": "…", or "skipped": "away" or ` +
      '"backlog", instead of the answer',
  );
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
