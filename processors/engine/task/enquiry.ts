/**
 * Answers of services as inputs of a task (design, section 4, rule 12). A record whose elements a service is asked about
 * waits in its place in the log until every answer is there: what follows it waits too, so that the task sees the same
 * records in the same order, however long each answer took. What was answered is kept with the checkpoint, like a tick.
 */
import { parseFrozen } from "../operators/frozen-json.ts";
import type { InputDefinition, Transform } from "../pipeline/definition.ts";
import type { Enrichment } from "../pipeline/enrichment.ts";
import { IGNORED } from "../pipeline/source.ts";
import { Rejection, rejectionOf } from "./rejection.ts";

/**
 * A service's answer as JSON text, or why there is none: every attempt failed, or it was skipped, where failures are.
 * Whoever reads the record again may be answered otherwise; what the task was given is what counts.
 */
export type Answer =
  | { readonly json: string }
  | { readonly failure: string }
  | { readonly skipped: SkipCause };

/** `away`: its circuit breaker lets no call through, or it takes none. `backlog`: too many records wait. */
export type SkipCause = "away" | "backlog";

/** What is known of a service's answer to a question; undefined: nothing. */
export type KnownAnswer = (question: string) => Answer | undefined;

/** The answers that a record was applied with, one for each element; null where nothing was asked. */
export interface Answered {
  readonly input: number;
  readonly offset: number;
  readonly answers: readonly (Answer | null)[];
}

/** A record that was read ahead, and what is to be asked about it. */
export class Enquiry {
  readonly event: unknown;
  readonly elements: readonly unknown[];
  /** One for each element; null: nothing is asked about it. */
  readonly questions: readonly (string | null)[];
  readonly #answers: (Answer | null)[];
  #missing: number;

  constructor(event: unknown, elements: readonly unknown[], questions: readonly (string | null)[]) {
    this.event = event;
    this.elements = elements;
    this.questions = questions;
    this.#answers = questions.map(() => null);
    this.#missing = questions.filter((question) => question !== null).length;
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  /** One for each question; meant to be read once the enquiry is complete. */
  get answers(): readonly (Answer | null)[] {
    return this.#answers;
  }

  answer(element: number, answer: Answer): void {
    if (this.#answers[element] === null) this.#missing -= 1;
    this.#answers[element] = answer;
  }

  /** Takes every answer that is known. */
  answerFrom(answerTo: KnownAnswer): void {
    for (const [element, question] of this.questions.entries()) {
      const answer = question === null ? undefined : answerTo(question);
      if (answer !== undefined) this.answer(element, answer);
    }
  }
}

/** The enquiries about records that wait to be applied. */
export interface Enquiries {
  /** Undefined: the record was not asked about. */
  of(input: number, offset: number): Enquiry | undefined;
}

export const NO_ENQUIRIES: Enquiries = { of: () => undefined };

/**
 * What is to be asked about a record's value.
 * @returns null where the event is none of the pipeline's
 * @throws Rejection where the value cannot be read, or a step before the question throws
 */
export function enquiryInto(
  { source, transform, enrich }: InputDefinition,
  value: Uint8Array,
): Enquiry | null {
  const event = rejectionOf("undecodable", () => source.decode(value));
  if (event === IGNORED) return null;
  const elements = elementsBefore(transform, event);
  const questions = elements.map((element) => questionAbout(enrich!, element));
  return new Enquiry(event, elements, questions);
}

/** What an event becomes before it is grouped. */
export function elementsOf(
  { transform, enrich }: InputDefinition,
  event: unknown,
  enquiry: Enquiry | undefined,
): readonly unknown[] {
  if (enrich === null) return elementsBefore(transform, event);
  return enquiry!.elements.flatMap((element, index) =>
    behind(enrich, combined(enrich, element, enquiry!.answers[index]!)),
  );
}

function elementsBefore(transform: Transform | null, event: unknown): readonly unknown[] {
  if (transform === null) return [event];
  return rejectionOf("user-code-failed", () => transform(event), "a step before keyBy threw");
}

function questionAbout({ question, service }: Enrichment, element: unknown): string | null {
  const text: unknown = rejectionOf(
    "user-code-failed",
    () => question(element),
    `the question to ${service} threw`,
  );
  if (text === null || typeof text === "string") return text as string | null;
  throw new Rejection("user-code-failed", `the question to ${service} is neither text nor null`);
}

function combined(
  { service, combine, onFailure }: Enrichment,
  element: unknown,
  answer: Answer | null,
): unknown {
  if (answer !== null && "failure" in answer && onFailure === "dead-letter") {
    throw new Rejection("enrichment-failed", `${service}: ${answer.failure}`);
  }
  const value = answer !== null && "json" in answer ? parseFrozen(answer.json) : undefined;
  const degraded = answer !== null && !("json" in answer);
  return rejectionOf(
    "user-code-failed",
    () => combine(element, value, degraded),
    `combine with ${service} threw`,
  );
}

function behind({ after }: Enrichment, element: unknown): readonly unknown[] {
  return after === null ? [element] : elementsBefore(after, element);
}
