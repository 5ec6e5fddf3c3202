/** A service that may be skipped: what goes on without its answer says so, and is as exact as an answer. */
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  collect,
  count,
  type OptionalEnrichOptions,
  pipeline,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { type Located, type Payment, payment, source } from "./enrich-fixture.ts";

const options: OptionalEnrichOptions<Payment, string, Located> = {
  service: "countries",
  question: ({ card }) => card,
  ask: async (card) => `country of ${card}`,
  combine: (one, country) => ({ ...one, country: country ?? null }),
  optional: true,
};

const started = () => pipeline("payments").from<Payment>(source, { outOfOrderMs: 5 }).enrich(options);

const definition = started()
  .keyBy((one) => one.user)
  .window(tumbling({ sizeMs: 10 }))
  .aggregate({
    countries: collect((one) => one.country, { maxItems: 20 }),
    degraded: count((one) => one.degraded === true),
  })
  .toResults();

const rows = (driver: TestDriver) =>
  driver.results.map(({ value }) => {
    const { countries, degraded } = value as { countries: { items: unknown[] }; degraded: number };
    return { countries: countries.items, degraded };
  });

describe("an optional service", () => {
  test("that was skipped, or failed, leaves an element that says degraded; one that was asked nothing does not", () => {
    const driver = new TestDriver(definition);
    driver.feed(
      payment({ card: "c1" }),
      payment({ card: "c2" }),
      payment({ card: "c3" }),
      payment({ card: null }),
    );
    driver.answer("c1", "FR");
    driver.skip("c2");
    driver.fail("c3");
    driver.flush();
    expect(rows(driver)).toEqual([{ countries: ["FR", null, null, null], degraded: 2 }]);
    expect(driver.dead).toEqual([]);
  });

  test("says so behind a new key too", () => {
    const byCountry = started()
      .rekeyBy("by-country", ({ country }) => country ?? "nowhere")
      .window(tumbling({ sizeMs: 10 }))
      .aggregate({ degraded: count((one) => one.degraded === true) })
      .toResults();
    const driver = new TestDriver(byCountry);
    driver.feed(payment({ card: "c1" }));
    driver.skip("c1");
    driver.flush();
    expect(driver.results).toMatchObject([{ key: "nowhere", value: { degraded: 1 } }]);
  });

  test("is no place for what cannot say so: it is dead", () => {
    const driver = new TestDriver(
      pipeline("payments")
        .from<Payment>(source, { outOfOrderMs: 5 })
        .enrich({ ...options, combine: () => [] as object })
        .keyBy(() => "u")
        .window(tumbling({ sizeMs: 10 }))
        .aggregate({ n: count() })
        .toResults(),
    );
    driver.feed(payment({ card: "c1" }));
    driver.skip("c1");
    expect(driver.dead).toMatchObject([{ reason: "user-code-failed" }]);
    expect(driver.dead[0]!.detail).toContain("is no object, so it cannot say that it is degraded");
  });

  test("is known to the types, and what does not go together does not compile", () => {
    const stream = pipeline("p").from<Payment>(source, { outOfOrderMs: 5 });
    stream.enrich(options).filter((one) => {
      expectTypeOf(one.degraded).toEqualTypeOf<true | undefined>();
      return true;
    });
    const { ask, optional, ...rest } = options;
    // @ts-expect-error it must be said how to ask
    expect(() => stream.enrich(rest)).toThrow("enrich.ask is undefined");
    // @ts-expect-error a limit of questions belongs to a call that takes several
    expect(() => stream.enrich({ ...rest, ask: async () => "", maxQuestionsPerCall: 3 })).toThrow();
    // @ts-expect-error what must be asked is not skipped for the records that wait
    expect(() => stream.enrich({ ...rest, ask: async () => "", skipAboveWaitingRecords: 3 })).toThrow();
  });

  test("skipped or not: the order of answers, checkpoints and crashes cannot be seen in what is written", () => {
    const payments = fc.array(
      fc.record({
        id: fc.integer({ min: 0, max: 30 }).map((id) => `p${id}`),
        user: fc.constantFrom("a", "b"),
        t: fc.integer({ min: 0, max: 60 }),
        card: fc.option(fc.constantFrom("answer", "skip", "fail")),
        amount: fc.integer({ min: 0, max: 9 }),
      }),
      { maxLength: 25 },
    );
    const turns = fc.array(fc.oneof(fc.nat(5), fc.constantFrom("checkpoint", "crash")), { maxLength: 60 });
    const reply = (driver: TestDriver, question: string) => {
      if (question === "answer") driver.answer(question, "FR");
      else if (question === "skip") driver.skip(question);
      else driver.fail(question);
    };
    const replyToAll = (driver: TestDriver) => {
      for (let [question] = driver.questions; question !== undefined; [question] = driver.questions) {
        reply(driver, question);
      }
    };
    fc.assert(
      fc.property(payments, turns, (input, script) => {
        const [disturbed, undisturbed] = [new TestDriver(definition), new TestDriver(definition)];
        const left = [...input];
        for (const turn of script) {
          const next = left.shift();
          if (next !== undefined) disturbed.feed({ value: next, key: next.user });
          const { questions } = disturbed;
          if (turn === "crash") disturbed.crash();
          else if (turn === "checkpoint") disturbed.checkpoint();
          else if (questions.length > 0) reply(disturbed, questions[turn % questions.length]!);
        }
        for (const value of left) disturbed.feed({ value, key: value.user });
        for (const value of input) {
          undisturbed.feed({ value, key: value.user });
          replyToAll(undisturbed);
        }
        for (const driver of [disturbed, undisturbed]) {
          driver.flush();
          replyToAll(driver);
        }
        expect(disturbed.results).toEqual(undisturbed.results);
        expect(disturbed.counters).toEqual(undisturbed.counters);
        expect(disturbed.late).toEqual(undisturbed.late);
      }),
      { numRuns: 200 },
    );
  });
});
