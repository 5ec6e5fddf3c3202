/** What one task of a test asks, and what it was answered. */
import type { Answer, Enquiries, Enquiry } from "../task/enquiry.ts";

interface Asked {
  readonly input: number;
  readonly offset: number;
  readonly enquiry: Enquiry;
}

export class TestEnquiries implements Enquiries {
  #asked: Asked[] = [];

  of(input: number, offset: number): Enquiry | undefined {
    return this.#asked.find((asked) => asked.input === input && asked.offset === offset)?.enquiry;
  }

  add(asked: Asked): void {
    this.#asked.push(asked);
  }

  /** Those without an answer. */
  get questions(): string[] {
    return this.#asked.flatMap(({ enquiry: { questions, answers } }) =>
      questions.filter(
        (question, element): question is string => question !== null && answers[element] === null,
      ),
    );
  }

  /** What is known already about records that still wait. */
  get answered(): (readonly [question: string, answer: Answer])[] {
    return this.#asked.flatMap(({ enquiry: { questions, answers } }) =>
      answers.flatMap((answer, element) => (answer === null ? [] : [[questions[element]!, answer] as const])),
    );
  }

  answer(question: string, answer: Answer): void {
    for (const { enquiry } of this.#asked)
      enquiry.answerFrom((asked) => (asked === question ? answer : undefined));
  }

  /** Forgets what was applied. @param offsets the next offset of each input */
  forgetBefore(offsets: readonly number[]): void {
    this.#asked = this.#asked.filter(({ input, offset }) => offset >= offsets[input]!);
  }
}
