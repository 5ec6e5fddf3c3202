import fc from "fast-check";
import { expect, test } from "vitest";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { located, type Payment } from "./enrich-fixture.ts";

const payments = fc.array(
  fc.record({
    id: fc.integer({ min: 0, max: 30 }).map((id) => `p${id}`),
    user: fc.constantFrom("a", "b"),
    t: fc.integer({ min: 0, max: 60 }),
    card: fc.option(fc.constantFrom("c1", "c2", "c3", "bad")),
    amount: fc.integer({ min: 0, max: 9 }),
  }) as fc.Arbitrary<Payment>,
  { maxLength: 25 },
);

/** What happens between two payments: which of the open questions is answered, or else. */
const turns = fc.array(fc.oneof(fc.nat({ max: 5 }), fc.constantFrom("checkpoint", "crash")), {
  maxLength: 60,
});

const answerTo = (driver: TestDriver, question: string): void =>
  question === "bad" ? driver.fail(question, "no such card") : driver.answer(question, `of ${question}`);

/** Results, late, dead: of tasks that never waited. */
function expected(definition: ReturnType<typeof located>, input: readonly Payment[]) {
  const answer = (question: string) => {
    if (question === "bad") throw new Error("no such card");
    return `of ${question}`;
  };
  const driver = new TestDriver(definition, { partitions: 2, answer });
  for (const value of input) driver.feed({ value, key: value.user });
  driver.flush();
  return driver;
}

test.each(["dead-letter", "skip"] as const)(
  "the order of answers, checkpoints and crashes cannot be seen in the results (%s)",
  (onFailure) => {
    const definition = located({ onFailure });
    fc.assert(
      fc.property(payments, turns, (input, script) => {
        const driver = new TestDriver(definition, { partitions: 2 });
        const left = [...input];
        for (const turn of script) {
          const next = left.shift();
          if (next !== undefined) driver.feed({ value: next, key: next.user });
          const { questions } = driver;
          if (turn === "crash") driver.crash();
          else if (turn === "checkpoint") driver.checkpoint();
          else if (questions.length > 0) answerTo(driver, questions[turn % questions.length]!);
        }
        for (const value of left) driver.feed({ value, key: value.user });
        driver.flush();
        for (let [question] = driver.questions; question !== undefined; [question] = driver.questions) {
          answerTo(driver, question);
        }
        const whole = expected(definition, input);
        const byKey = (results: TestDriver["results"]) => Object.groupBy(results, ({ key }) => key);
        expect(byKey(driver.results)).toEqual(byKey(whole.results));
        expect(driver.counters).toEqual(whole.counters);
        const values = (records: readonly { value: string | null }[]) =>
          records.map(({ value }) => value).sort();
        expect(values(driver.late)).toEqual(values(whole.late));
        expect(values(driver.dead)).toEqual(values(whole.dead));
      }),
      { numRuns: 300 },
    );
  },
);
