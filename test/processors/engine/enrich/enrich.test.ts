import { describe, expect, expectTypeOf, test } from "vitest";
import { count, PipelineError, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { located, type Options, type Payment, payment, started } from "./enrich-fixture.ts";

const driverOf = (options: Options = {}) => new TestDriver(located(options));
const valuesOf = (driver: TestDriver) => driver.results.map(({ value }) => value);

describe("enrich", () => {
  test("asks about each event, and goes on with what was answered", () => {
    const driver = driverOf();
    driver.feed(payment({ card: "c1" }), payment({ t: 1, card: "c2" }));
    expect(driver.questions).toEqual(["c1", "c2"]);
    driver.answer("c1", "FR");
    driver.answer("c2", "PT");
    driver.flush();
    expect(valuesOf(driver)).toEqual([{ n: 2, total: 2, countries: { items: ["FR", "PT"], truncated: 0 } }]);
  });

  test("keeps the order: a later event waits for the answer of the one before it", () => {
    const driver = driverOf({});
    driver.feed(payment({ card: "slow" }), payment({ t: 30, card: "fast" }));
    driver.answer("fast", "PT");
    expect(driver.watermarkMs()).toBe(Number.NEGATIVE_INFINITY);
    expect(driver.results).toEqual([]);
    driver.answer("slow", "FR");
    expect(driver.watermarkMs()).toBe(25);
    expect(driver.results).toHaveLength(1);
  });

  test("holds the watermark back: what comes meanwhile, and a tick, close no window of the one that waits", () => {
    const driver = driverOf();
    driver.feed(payment({ card: "c1" }));
    driver.tick(10_000_000);
    driver.flush();
    expect(driver.results).toEqual([]);
    driver.answer("c1", "FR");
    expect(driver.counters).toMatchObject({ counted: 1, late: 0 });
    expect(driver.results).toHaveLength(1);
  });

  test("asks a question once, however many events wait for it", () => {
    const driver = driverOf();
    driver.feed(payment(), payment({ t: 1 }), payment({ t: 2 }));
    expect(driver.questions).toEqual(["c1"]);
    driver.answer("c1", "FR");
    expect(driver.counters.counted).toBe(3);
  });

  test("asks nothing where the question is null", () => {
    const driver = driverOf();
    driver.feed(payment({ card: null }));
    expect(driver.questions).toEqual([]);
    driver.flush();
    expect(valuesOf(driver)).toEqual([{ n: 1, total: 1, countries: { items: [null], truncated: 0 } }]);
  });

  test("does not ask about duplicates, nor about what is late by age", () => {
    const driver = driverOf();
    const first = payment({ t: 100, card: null });
    driver.feed(first, { value: { ...first.value, card: "again" } }, payment({ t: 1, card: "old" }));
    expect(driver.questions).toEqual([]);
    expect(driver.counters).toMatchObject({ counted: 1, duplicate: 1, late: 1 });
  });

  test("asks about an event that is late for its window only then, and tells it late with its bytes", () => {
    const driver = new TestDriver(
      started()
        .keyBy(({ user }) => user)
        .window(tumbling({ sizeMs: 10 }))
        .aggregate({ n: count() })
        .toResults(),
      { answer: () => "FR" },
    );
    driver.feed(payment({ t: 16 }), payment({ t: 2 }));
    expect(driver.late).toMatchObject([{ lateByMs: 1 }]);
  });

  test("dead-letters an event whose service failed, and the next one counts", () => {
    const driver = driverOf();
    driver.feed(payment({ card: "bad" }), payment({ card: "c1" }));
    driver.fail("bad", "503");
    driver.answer("c1", "FR");
    expect(driver.dead).toMatchObject([{ reason: "enrichment-failed", detail: "countries: 503" }]);
    expect(driver.counters).toMatchObject({ counted: 1, dead: 1 });
  });

  test("goes on without an answer where failures are skipped", () => {
    const driver = driverOf({ onFailure: "skip" });
    driver.feed(payment());
    driver.fail("c1");
    driver.flush();
    expect(valuesOf(driver)).toEqual([{ n: 1, total: 1, countries: { items: [null], truncated: 0 } }]);
  });

  test.each([
    ["question", { question: () => 7 as never }, "the question to countries is neither"],
    [
      "question",
      {
        question: () => {
          throw new Error("q");
        },
      },
      "the question to countries threw: q",
    ],
    [
      "combine",
      {
        combine: () => {
          throw new Error("c");
        },
      },
      "combine with countries threw: c",
    ],
  ] as [string, Options, string][])("dead-letters an event whose %s throws", (_, options, detail) => {
    const driver = new TestDriver(located(options), { answer: () => "FR" });
    driver.feed(payment({ card: "x" }));
    expect(driver.dead).toMatchObject([{ reason: "user-code-failed" }]);
    expect(driver.dead[0]!.detail).toContain(detail);
  });

  test("gives an answer that nobody can change", () => {
    const driver = new TestDriver(
      located({ combine: (one, answer) => Object.assign(answer as never, one) as never }),
      { answer: () => ({ country: "FR" }) },
    );
    driver.feed(payment());
    expect(driver.dead).toMatchObject([{ reason: "user-code-failed" }]);
  });

  test("survives a crash with events that wait, some of them answered", () => {
    const driver = driverOf();
    driver.feed(payment({ card: "c1" }), payment({ t: 1, card: "c2" }), payment({ t: 2, card: "c3" }));
    driver.answer("c2", "PT");
    driver.checkpoint();
    driver.crash();
    expect(driver.questions).toEqual(["c1", "c3"]);
    driver.answer("c1", "FR");
    driver.crash();
    driver.answer("c3", "ES");
    driver.flush();
    const before = driver.outputs;
    driver.crash();
    expect(driver.outputs).toEqual(before);
    expect(valuesOf(driver)).toEqual([
      { n: 3, total: 3, countries: { items: ["FR", "PT", "ES"], truncated: 0 } },
    ]);
  });

  test("says who asks what, where a test answers something else", () => {
    const driver = driverOf();
    driver.feed(payment());
    expect(() => driver.answer("c9", "FR")).toThrow('nobody asks "c9"; records wait for "c1"');
  });

  test("stands before a new key, which an answer may decide", () => {
    const byCountry = started()
      .filter(({ amount }) => amount > 0)
      .flatMap((one) => [one, one])
      .rekeyBy("by-country", ({ country }) => country ?? "nowhere")
      .window(tumbling({ sizeMs: 10 }))
      .aggregate({ n: count() })
      .toResults();
    const driver = new TestDriver(byCountry, { partitions: 3, answer: (card) => `of ${card}` });
    const twice = payment({ card: "c1" });
    driver.feed(twice, payment({ t: 1, card: "c2" }), twice, payment({ amount: 0 }), payment({ card: null }));
    driver.crash();
    driver.flush();
    expect(driver.results.map(({ key, value }) => [key, value]).sort()).toEqual([
      ["nowhere", { n: 2 }],
      ["of c1", { n: 2 }],
      ["of c2", { n: 2 }],
    ]);
  });

  test("types what is answered", () => {
    started({
      combine: (one, country) => {
        expectTypeOf(one).toEqualTypeOf<Payment>();
        expectTypeOf(country).toEqualTypeOf<string | undefined>();
        return { ...one, country: null };
      },
    });
    // @ts-expect-error there is no such field
    started({ question: ({ iban }) => iban });
  });

  test.each([
    [{ service: "No Name" }, 'enrich.service "No Name": use up to 64'],
    [{ timeoutMs: 0 }, "enrich.timeoutMs is 0; it must be at least 1 ms"],
    [{ maxAttempts: 0 }, "enrich.maxAttempts is 0; it must be a whole number from 1"],
    [{ maxInFlight: 1.5 }, "enrich.maxInFlight is 1.5"],
    [{ onFailure: "ignore" }, 'enrich.onFailure is "ignore"; it must be "dead-letter" or "skip"'],
    [{ ask: "http://…" }, 'enrich.ask is "http://…"; it must be a function'],
    [{ maxRequestsPerSecond: 0 }, "enrich.maxRequestsPerSecond is 0; it must be a number above 0"],
    [{ maxRequestsPerSecond: Number.NaN }, "enrich.maxRequestsPerSecond is NaN"],
    [{ cache: { ttlMs: 0, maxEntries: 1 } }, "enrich.cache.ttlMs is 0"],
    [{ cache: { ttlMs: 1 } }, "enrich.cache.maxEntries is undefined"],
    [{ askMany: async () => [] }, "enrich has ask and askMany; state one of them"],
    [{ ask: undefined, askMany: async () => [] }, "enrich.maxQuestionsPerCall is undefined"],
    [{ maxQuestionsPerCall: 5 }, "enrich.maxQuestionsPerCall goes with enrich.askMany"],
    [{ skipAboveWaitingRecords: 5 }, "enrich.skipAboveWaitingRecords goes with enrich.optional"],
    [{ optional: true, onFailure: "skip" }, "enrich.optional skips failures; drop enrich.onFailure"],
    [{ optional: true, skipAboveWaitingRecords: 0 }, "enrich.skipAboveWaitingRecords is 0"],
    [{ optional: "yes" }, 'enrich.optional is "yes"; it must be true or false'],
  ])("refuses %o", (options, message) => {
    expect(() => located(options as Options)).toThrow(PipelineError);
    expect(() => located(options as Options)).toThrow(message);
  });

  test("comes once before a key", () => {
    const again = {
      service: "again",
      question: () => "q",
      ask: async () => 1,
      combine: (one: Payment) => one,
    };
    expect(() => started().enrich(again)).toThrow("enrich() comes twice before the key");
  });
});
