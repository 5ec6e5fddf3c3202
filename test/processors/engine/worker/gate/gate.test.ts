/** What a service is asked, and what becomes of it: bulk calls, cache, failures, tasks that end. */
import { describe, expect, test } from "vitest";
import { lineAt, scene } from "./gate-fixture.ts";

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `q${from + index}`);

describe("a question", () => {
  test("that several tasks ask is asked once, and answers all", async () => {
    const { clock, service, gate } = scene();
    const process = gate();
    const [a, b] = [lineAt(process, 2), lineAt(process, 2)];
    a.ask("x");
    b.ask("x", "x");
    await clock.pass(20);
    expect(service.calls).toHaveLength(1);
    expect(a.answers.get("x")).toEqual([{ json: '"of x"' }]);
    expect(b.answers.get("x")).toHaveLength(2);
  });

  test("that was answered lately is not asked again, and is once that is too old", async () => {
    const { clock, service, gate } = scene({ cache: { ttlMs: 1_000, maxEntries: 10 } });
    const task = lineAt(gate());
    task.ask("x");
    await clock.pass(20);
    task.ask("x");
    expect(task.answers.get("x")).toHaveLength(2);
    await clock.pass(1_000);
    task.ask("x");
    await clock.pass(20);
    expect(service.calls.map(({ atMs }) => atMs)).toEqual([0, 1_020]);
  });

  test("with cache and coalescing many events are few calls", async () => {
    const { clock, service, gate } = scene({ cache: { ttlMs: 60_000, maxEntries: 50 } });
    const task = lineAt(gate());
    for (let event = 0; event < 10_000; event++) {
      task.ask(`q${(event * 7) % 40}`);
      if (event % 100 === 0) await clock.pass(5);
    }
    await clock.pass(1_000);
    expect(service.calls).toHaveLength(40);
    expect([...task.answers.values()].flat()).toHaveLength(10_000);
  });

  test("that failed is not kept", async () => {
    const { clock, service, gate } = scene({ maxAttempts: 1, cache: { ttlMs: 1_000, maxEntries: 10 } });
    service.isAway = true;
    const task = lineAt(gate());
    task.ask("x");
    await clock.pass(20);
    service.isAway = false;
    task.ask("x");
    await clock.pass(20);
    expect(task.answers.get("x")).toEqual([{ failure: "503" }, { json: '"of x"' }]);
  });
});

describe("a bulk call", () => {
  test("has what waits of all tasks, up to the most that a call asks", async () => {
    const { clock, service, gate } = scene({ maxQuestionsPerCall: 4, maxInFlight: 1 });
    const process = gate();
    const [a, b] = [lineAt(process, 2), lineAt(process, 2)];
    for (const question of ["a1", "a2", "a3"]) a.line.ask(question, () => undefined, false);
    b.ask("b1", "b2");
    await clock.pass(20);
    expect(service.calls.map(({ questions }) => [...questions].sort())).toEqual([
      ["a1", "a2", "b1", "b2"],
      ["a3"],
    ]);
    expect(b.answers.get("b2")).toEqual([{ json: '"of b2"' }]);
  });

  test("in which one question fails has answered the others; that one is asked again, alone", async () => {
    const { clock, service, gate } = scene({ maxQuestionsPerCall: 3, maxAttempts: 2 });
    service.answer = (question) => (question === "q1" ? new Error("unknown") : question);
    const task = lineAt(gate());
    task.ask(...numbered(3));
    await clock.pass(200);
    expect(service.calls.map(({ questions }) => questions)).toEqual([numbered(3), ["q1"]]);
    expect(numbered(3).map((question) => task.answers.get(question))).toEqual([
      [{ json: '"q0"' }],
      [{ failure: "unknown" }],
      [{ json: '"q2"' }],
    ]);
  });

  test("whose answers are not as many as its questions has failed", async () => {
    const { clock, service, gate } = scene({ maxQuestionsPerCall: 2, maxAttempts: 1 });
    service.ask = async (_, questions) => questions.slice(1);
    const task = lineAt(gate());
    task.ask("q0");
    await clock.pass(20);
    expect(task.answers.get("q0")).toEqual([{ failure: "1 questions were answered with 0" }]);
  });
});

describe("a service that is away", () => {
  test("is called no more than it takes to see that, then now and then; nothing is lost", async () => {
    const { clock, service, gate } = scene({ maxInFlight: 10, maxAttempts: 3 });
    const task = lineAt(gate());
    task.ask(...numbered(30));
    await clock.pass(100);
    service.isAway = true;
    task.ask(...numbered(500, 30));
    await clock.pass(30_000);
    // Until the share of errors is known, and three trials each five seconds.
    const before = service.calls.length;
    expect(before).toBeLessThan(30 + 40 + 3 * 6);
    service.isAway = false;
    await clock.pass(60_000);
    const failed = [...task.answers.values()].flat().filter((answer) => "failure" in answer);
    expect(failed).toEqual([]);
    expect(task.answers.size).toBe(530);
  });

  test("is skipped where it is optional, also by what was asked already, and asked again once it is back", async () => {
    const { clock, service, gate } = scene({ maxInFlight: 10, onFailure: "skip" });
    service.isAway = true;
    const task = lineAt(gate());
    task.ask(...numbered(200));
    await clock.pass(1_000);
    expect(task.answers.size).toBe(200);
    expect(new Set([...task.answers.values()].flat().map((answer) => JSON.stringify(answer)))).toEqual(
      new Set(['{"skipped":"away"}']),
    );
    const before = service.calls.length;
    task.ask("at once");
    expect(task.answers.get("at once")).toEqual([{ skipped: "away" }]);
    expect(service.calls).toHaveLength(before);
    service.isAway = false;
    await clock.pass(5_000);
    task.ask(...numbered(3, 200));
    await clock.pass(20);
    task.ask("back");
    await clock.pass(20);
    expect(task.answers.get("back")).toEqual([{ json: '"of back"' }]);
  });
});

test("retries are a tenth of the calls, one a second, and those that were saved", async () => {
  const { clock, service, gate } = scene({ maxAttempts: 2 });
  service.answer = () => new Error("unknown");
  const task = lineAt(gate());
  task.ask(...numbered(100));
  await clock.pass(4_000);
  const retries = service.calls.length - 100;
  expect(retries).toBeGreaterThanOrEqual(10);
  expect(retries).toBeLessThanOrEqual(10 + 10 + 4);
  await clock.pass(120_000);
  expect(task.answers.size).toBe(100);
});

describe("an optional service", () => {
  test("is not asked while too many records wait, until half of them do; what is known is used", async () => {
    const { clock, gate } = scene({
      skipAboveWaitingRecords: 100,
      cache: { ttlMs: 60_000, maxEntries: 10 },
    });
    const task = lineAt(gate());
    task.ask("known");
    await clock.pass(20);
    const answerAt = async (waiting: number, question: string) => {
      task.line.waiting(waiting);
      task.ask(question);
      await clock.pass(20);
      return task.answers.get(question)!.at(-1);
    };
    expect(await answerAt(100, "a")).toEqual({ json: '"of a"' });
    expect(await answerAt(101, "b")).toEqual({ skipped: "backlog" });
    expect(await answerAt(101, "known")).toEqual({ json: '"of known"' });
    expect(await answerAt(51, "c")).toEqual({ skipped: "backlog" });
    expect(await answerAt(50, "d")).toEqual({ json: '"of d"' });
  });

  test("that is behind gives up what waits to be asked, and what is asked is answered", async () => {
    const { clock, service, gate } = scene({ skipAboveWaitingRecords: 100, maxInFlight: 1 });
    const task = lineAt(gate());
    task.ask("first", "second");
    task.line.waiting(101);
    task.line.call();
    await clock.pass(20);
    expect(task.answers.get("first")).toEqual([{ json: '"of first"' }]);
    expect(task.answers.get("second")).toEqual([{ skipped: "backlog" }]);
    expect(service.calls).toHaveLength(1);
  });
});

test("a service that takes nothing is skipped where it may be, and waited for where it must be asked", async () => {
  for (const [onFailure, expected] of [
    ["skip", [{ skipped: "away" }]],
    ["dead-letter", undefined],
  ] as const) {
    const { clock, service, gate } = scene({ onFailure, maxAttempts: 3 });
    service.maxPerSecond = 0;
    const task = lineAt(gate());
    task.ask("x");
    await clock.pass(60_000);
    expect(task.answers.get("x")).toEqual(expected);
    expect(task.failures.length).toBeGreaterThanOrEqual(3);
  }
});

test("a task that is behind does not wait for what is to be asked again either", async () => {
  const { clock, service, gate } = scene({ skipAboveWaitingRecords: 100, onFailure: "skip", maxAttempts: 9 });
  service.isAway = true;
  const task = lineAt(gate());
  task.ask("x");
  await clock.pass(30);
  task.line.waiting(101);
  task.line.call();
  expect(task.answers.get("x")).toEqual([{ skipped: "backlog" }]);
  await clock.pass(60_000);
  expect(service.calls).toHaveLength(1);
});

describe("a task that ends", () => {
  test("leaves to the others what they ask too, and takes along the rest", async () => {
    const { clock, service, gate } = scene({ maxInFlight: 1 });
    const process = gate();
    const [a, b] = [lineAt(process, 2), lineAt(process, 2)];
    a.ask("under way", "too", "queued", "alone");
    b.ask("queued");
    a.end();
    await clock.pass(200);
    expect(service.calls.map(({ questions }) => questions[0])).toEqual(["under way", "too", "queued"]);
    expect([...a.answers]).toEqual([]);
    expect(b.answers.get("queued")).toEqual([{ json: '"of queued"' }]);
    expect(b.line.open).toBe(0);
  });

  test("while others wait for the same call does not abort it", async () => {
    const { clock, service, gate } = scene({ maxQuestionsPerCall: 2 });
    const process = gate();
    const [a, b] = [lineAt(process, 2), lineAt(process, 2)];
    a.line.ask("a", () => undefined, false);
    b.ask("b");
    a.end();
    await clock.pass(20);
    expect(service.calls).toHaveLength(1);
    expect(b.answers.get("b")).toEqual([{ json: '"of b"' }]);
  });

  test("may ask on, without an answer, and not in the way of others", async () => {
    const { clock, service, gate } = scene();
    const process = gate();
    const [a, b] = [lineAt(process, 2), lineAt(process, 2)];
    a.end();
    a.ask("x");
    await clock.pass(20);
    expect(service.calls).toEqual([]);
    b.ask("x");
    await clock.pass(20);
    expect(b.answers.get("x")).toEqual([{ json: '"of x"' }]);
    expect(a.answers.size).toBe(0);
  });

  test("before it began is asked nothing", () => {
    const { service, gate } = scene();
    const process = gate();
    const ended = new AbortController();
    ended.abort();
    const options = { partitions: 1, onAnswered: () => undefined, onFailure: () => undefined };
    const line = process.open({ ...options, signal: ended.signal });
    line.ask("x", () => undefined, false);
    line.call();
    expect(service.calls).toEqual([]);
  });
});
