/** Mutants of asking services: rule 12. */
import type { SimulatedMutant } from "../mutant.ts";

const TASK = "processors/engine/task/task.ts";

export const answersMutants: readonly SimulatedMutant[] = [
  {
    name: "a record does not wait for its answers",
    rule: 12,
    file: TASK,
    find: "    if (!complete) return false;\n",
    replace: "    this.#blocked = false;\n",
    seeds: [5],
  },
  {
    name: "a record that waits for an answer is passed over",
    rule: 12,
    file: TASK,
    find: "if (!this.#applyRecord(batch, index, input, enquiries)) break;",
    replace: "this.#applyRecord(batch, index, input, enquiries);",
    seeds: [5],
  },
  {
    name: "what was answered is not kept",
    rule: 12,
    file: TASK,
    find: "if (answers.some((answer) => answer !== null)) this.#answered.push({ input, offset, answers });",
    replace: "",
    seeds: [5],
  },
  {
    name: "an answer is taken for that of another element",
    rule: 12,
    file: "processors/engine/worker/asking.ts",
    find: "(answer) => enquiry.answer(element, answer)",
    replace: "(answer) => enquiry.answer(0, answer)",
    seeds: [5],
  },
  {
    name: "a later record's answer counts as the one that is waited for",
    rule: 12,
    file: "processors/engine/worker/asking.ts",
    find: "return this.#aheads[input]!.enquiries.get(offset);",
    replace: "return [...this.#aheads[input]!.enquiries.values()].at(-1);",
    seeds: [5],
  },
  {
    name: "the task is not woken by an answer",
    rule: 12,
    file: "processors/engine/worker/asking.ts",
    find: "    this.#options.onAnswer();\n",
    replace: "",
    seeds: [20],
  },
  {
    name: "that a service was skipped is not kept",
    rule: 12,
    file: TASK,
    find: "if (answers.some((answer) => answer !== null)) this",
    replace: 'if (answers.some((answer) => answer !== null && !("skipped" in answer))) this',
    seeds: [15],
  },
  {
    name: "answers of a call go to other questions",
    rule: 12,
    file: "processors/engine/worker/service-gate.ts",
    find: "const question = call.questions[index]!;",
    replace: "const question = call.questions.at(-1 - index)!;",
    seeds: [5],
  },
  {
    name: "what a task asked that has ended stands in the way of who asks the same",
    rule: 12,
    file: "processors/engine/worker/service-line.ts",
    find: "    if (this.options.signal.aborted) return undefined;\n",
    replace: "",
    seeds: [10],
  },
];
