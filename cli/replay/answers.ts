/** What services answer in a replay: each question is asked once, so that a crash meets the same answers again. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { InputDefinition } from "../../processors/engine/pipeline/definition.ts";
import type { Enrichment } from "../../processors/engine/pipeline/enrichment.ts";
import { type Answer, enquiryInto, type KnownAnswer } from "../../processors/engine/task/enquiry.ts";
import { Rejection } from "../../processors/engine/task/rejection.ts";
import { answerOf } from "../../processors/engine/worker/service-call.ts";
import { UsageError } from "../command.ts";

export class Answers {
  readonly #given = new Map<string, Answer>();
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
    const callers = Array.from({ length: Math.min(enrich.maxInFlight, open.length) }, async () => {
      for (let question = open.pop(); question !== undefined; question = open.pop()) {
        this.#given.set(question, await this.#answer(enrich, question, signal));
      }
    });
    await Promise.all(callers);
    signal.throwIfAborted();
  }

  async #answer(enrich: Enrichment, question: string, signal: AbortSignal): Promise<Answer> {
    if (this.#recorded !== null) {
      return this.#recorded.get(question) ?? { failure: "the file of answers has none" };
    }
    const sleep = (ms: number, until: AbortSignal) =>
      delay(ms, undefined, { signal: until }).catch(() => undefined);
    return answerOf(enrich, question, { clock: { sleep }, signal, onFailure: () => undefined });
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
 * Reads a file of answers: a line is `{"question": "…", "answer": …}`, or has a `failure` instead of the answer.
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
  const { question, answer, failure } = parsed(line) ?? {};
  if (typeof question === "string" && typeof failure === "string") return [question, { failure }];
  if (typeof question === "string" && answer !== undefined)
    return [question, { json: JSON.stringify(answer) }];
  throw new UsageError(
    `${where}: a line must be {"question": "…", "answer": …} or {"question": "…", "failure": "…"}`,
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
