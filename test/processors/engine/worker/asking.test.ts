import { describe, expect, test } from "vitest";
import type { RecordBatch } from "../../../../processors/engine/log/port.ts";
import { Asking } from "../../../../processors/engine/worker/asking.ts";
import type { Head } from "../../../../processors/engine/worker/intake.ts";
import type { Observer } from "../../../../processors/engine/worker/ports.ts";
import { ServiceGate } from "../../../../processors/engine/worker/service-gate.ts";
import { batchOf } from "../../../support/records.ts";
import { located, type Options, payment } from "../enrich/enrich-fixture.ts";
import { freshTask } from "../task-fixture.ts";

const batchOfCards = (...cards: (string | null)[]): RecordBatch => batchFrom(0, cards);

const batchFrom = (first: number, cards: readonly (string | null)[]): RecordBatch =>
  batchOf(
    { topic: "payments-in", partition: 0 },
    cards.map((card, index) => ({
      offset: first + index,
      key: "u",
      value: JSON.stringify({ ...payment().value, id: `p${first + index}`, card }),
      arrivalMs: 0,
    })),
  );

/** Asking with a service that answers when the test says so, and a clock that stands until then. */
function scene(options: Options, ...batches: RecordBatch[]) {
  const task = freshTask(located(options));
  const heads: Head[] = batches.map((batch) => ({ batch, next: 0 }));
  const calls: {
    question: string;
    signal: AbortSignal;
    resolve(answer: unknown): void;
    reject(error: Error): void;
  }[] = [];
  const sleeps: { ms: number; end(): void }[] = [];
  const failures: string[] = [];
  const stop = new AbortController();
  let woken = 0;
  const definition = located(options);
  let nowMs = 0;
  const gate = new ServiceGate({
    enrich: definition.inputs[0]!.enrich!,
    clock: {
      nowMs: () => nowMs,
      sleep: (ms, signal) =>
        new Promise<void>((resolve) => {
          const end = () => {
            nowMs += ms;
            resolve();
          };
          sleeps.push({ ms, end });
          signal.addEventListener("abort", () => resolve());
        }),
    },
    ask: (_, [question], { signal }) =>
      new Promise((resolve, reject) =>
        calls.push({ question: question!, signal, resolve: (answer) => resolve([answer]), reject }),
      ),
  });
  const asking = new Asking({
    context: {
      definition,
      observer: {
        retried: (_, action, error) => failures.push(`${action}: ${error.message}`),
      } as Partial<Observer> as Observer,
    },
    name: { pipeline: "payments", partition: 0 },
    task,
    partitions: 1,
    intake: { waiting: () => heads, backlogOf: () => 0 },
    gates: [gate],
    signal: stop.signal,
    onAnswer: () => {
      woken += 1;
    },
  });
  const asked = () => calls.map(({ question }) => question);
  return { task, heads, asking, calls, asked, sleeps, failures, stop, woken: () => woken };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("asking a service", () => {
  test("reads ahead over batches, as many calls at once as there may be", async () => {
    const batches = [batchFrom(0, ["a", "b"]), batchFrom(2, ["c", "d", "e"])];
    const { asking, asked, calls } = scene({ maxInFlight: 3 }, ...batches);
    asking.lookAhead();
    asking.lookAhead();
    expect(asked()).toEqual(["a", "b", "c"]);
    expect(asking.of(0, 2)).toBeDefined();
    expect(asking.of(0, 3)).toBeUndefined();
    calls[0]!.resolve("A");
    await settle();
    expect(asked()).toEqual(["a", "b", "c", "d"]);
  });

  test("reads a bounded number of records ahead, whatever waits of those that ask the same", () => {
    const cards = Array.from({ length: 2_500 }, () => "a");
    const { asking, asked } = scene({ maxInFlight: 3 }, batchOfCards(...cards));
    asking.lookAhead();
    expect(asked()).toEqual(["a"]);
    expect(asking.of(0, 999)).toBeDefined();
    expect(asking.of(0, 1_000)).toBeUndefined();
  });

  test("asks equal questions that wait once, and gives everyone the answer", async () => {
    const { asking, asked, calls, woken } = scene({}, batchOfCards("a", "a", "b"));
    asking.lookAhead();
    expect(asked()).toEqual(["a", "b"]);
    calls[0]!.resolve("A");
    await settle();
    expect([0, 1, 2].map((offset) => asking.of(0, offset)?.complete)).toEqual([true, true, false]);
    expect(woken()).toBe(1);
  });

  test("goes on to the next questions once one is answered", async () => {
    const { asking, asked, calls } = scene({ maxInFlight: 2 }, batchOfCards("a", "b", null, "c"));
    asking.lookAhead();
    expect(asked()).toEqual(["a", "b"]);
    calls[1]!.resolve("B");
    await settle();
    expect(asked()).toEqual(["a", "b", "c"]);
  });

  test("forgets what was applied", () => {
    const { asking } = scene({}, batchOfCards("a", "b"));
    asking.lookAhead();
    asking.applied(0, 1);
    expect(asking.of(0, 0)).toBeUndefined();
    expect(asking.of(0, 1)).toBeDefined();
  });

  test("tells that the next record waits, until its answer is there", async () => {
    const { asking, heads, calls } = scene({}, batchOfCards("a"));
    asking.lookAhead();
    expect(asking.blocks(0)).toBe(false);
    asking.need(0, heads[0]!);
    expect(asking.blocks(0)).toBe(true);
    calls[0]!.resolve("A");
    await settle();
    expect(asking.blocks(0)).toBe(false);
  });

  test("asks about what the task needs though it was not looked at, before the others", async () => {
    const { asking, heads, calls, asked } = scene({ maxInFlight: 1 }, batchOfCards("a", "b", "c"));
    asking.lookAhead();
    heads[0]!.next = 2;
    asking.need(0, heads[0]!);
    expect(asked()).toEqual(["a"]);
    calls[0]!.resolve("A");
    await settle();
    expect(asked()).toEqual(["a", "c"]);
  });

  test("looks again at what is fetched again, and calls that are under way serve it", async () => {
    const batch = batchOfCards("a");
    const { asking, asked, calls } = scene({}, batch);
    asking.lookAhead();
    asking.clear();
    asking.lookAhead();
    expect(asked()).toEqual(["a"]);
    calls[0]!.resolve("A");
    await settle();
    expect(asking.of(0, 0)!.answers).toEqual([{ json: '"A"' }]);
  });

  test("tries again after a pause that doubles, and then tells the last failure", async () => {
    const { asking, calls, sleeps, failures } = scene({ timeoutMs: 700 }, batchOfCards("a"));
    asking.lookAhead();
    for (const pauseMs of [100, 200, null]) {
      calls.at(-1)!.reject(new Error(`no ${calls.length}`));
      await settle();
      if (pauseMs === null) break;
      expect(sleeps.at(-1)!.ms).toBe(pauseMs);
      sleeps.at(-1)!.end();
      await settle();
    }
    expect(calls).toHaveLength(3);
    expect(failures).toEqual([1, 2, 3].map((attempt) => `ask countries: no ${attempt}`));
    expect(asking.of(0, 0)!.answers).toEqual([{ failure: "no 3" }]);
  });

  test("gives an attempt up at its timeout, and aborts it", async () => {
    const { asking, calls, sleeps } = scene({ timeoutMs: 700, maxAttempts: 1 }, batchOfCards("a"));
    asking.lookAhead();
    expect(sleeps[0]!.ms).toBe(700);
    sleeps[0]!.end();
    await settle();
    expect(calls[0]!.signal.aborted).toBe(true);
    expect(asking.of(0, 0)!.answers).toEqual([{ failure: "no answer within 700 ms" }]);
  });

  test.each([
    ["is no JSON", Number.NaN, "the answer is or holds a number that is not finite"],
    ["is undefined", undefined, "the answer is or holds undefined, which JSON has not"],
    ["is too large", "x".repeat(65_535), "the answer has 65537 characters; the limit is 65536"],
  ])("refuses an answer that %s", async (_, answer, failure) => {
    const { asking, calls } = scene({ maxAttempts: 1 }, batchOfCards("a"));
    asking.lookAhead();
    calls[0]!.resolve(answer);
    await settle();
    expect(asking.of(0, 0)!.answers).toEqual([{ failure }]);
  });

  test("answers nobody once the task has ended, and asks nothing more", async () => {
    const { asking, calls, asked, stop, woken } = scene({ maxInFlight: 1 }, batchOfCards("a", "b"));
    asking.lookAhead();
    stop.abort();
    expect(calls[0]!.signal.aborted).toBe(true);
    calls[0]!.resolve("A");
    await settle();
    expect(asking.of(0, 0)!.complete).toBe(false);
    expect(asked()).toEqual(["a"]);
    expect(woken()).toBe(0);
  });
});
