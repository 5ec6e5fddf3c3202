import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BreakerOptions, CircuitBreaker } from "../../flow/breaker.ts";

const options: BreakerOptions = {
  windowMs: 10_000,
  minCalls: 10,
  maxErrorShare: 0.5,
  slowCallMs: 1_000,
  maxSlowShare: 0.8,
  openMs: 5_000,
  trialCalls: 2,
};
const well = { failed: false, tookMs: 10 };
const failed = { failed: true, tookMs: 10 };
const slow = { failed: false, tookMs: 1_001 };

function breaker(...outcomes: { failed: boolean; tookMs: number }[]): CircuitBreaker {
  const breaker = new CircuitBreaker(options);
  for (const outcome of outcomes) breaker.record(outcome, 0);
  return breaker;
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe("closed", () => {
  test.each([
    ["fewer calls than a share needs", times(9, failed)],
    ["half of the calls failed", [...times(5, well), ...times(5, failed)]],
    ["calls that take just the limit", times(10, { failed: false, tookMs: 1_000 })],
    ["four of five slow", [...times(2, well), ...times(8, slow)]],
  ])("stays with %s", (_, outcomes) => {
    expect(breaker(...outcomes).state(0)).toBe("closed");
  });

  test.each([
    ["more than half failed", [...times(4, well), ...times(6, failed)]],
    ["more than four of five slow", [...times(1, well), ...times(9, slow)]],
  ])("opens with %s", (_, outcomes) => {
    const opened = breaker(...outcomes);
    expect([opened.state(0), opened.tryAcquire(0)]).toEqual(["open", false]);
  });

  test("what is older than the window does not count", () => {
    const subject = breaker(...times(9, failed));
    for (const outcome of times(10, well)) subject.record(outcome, 10_000);
    subject.record(failed, 10_000);
    expect(subject.state(10_000)).toBe("closed");
  });

  test("a clock that is set back does not wake old outcomes", () => {
    const subject = new CircuitBreaker(options);
    for (const outcome of times(9, failed)) subject.record(outcome, 100_000);
    subject.record(failed, 50_000);
    expect(subject.state(50_000)).toBe("closed");
  });
});

describe("open", () => {
  test("lets trials through once its time is over, no more than it may", () => {
    const opened = breaker(...times(10, failed));
    expect(opened.state(4_999)).toBe("open");
    expect(times(3, 5_000).map((nowMs) => opened.tryAcquire(nowMs))).toEqual([true, true, false]);
    expect(opened.state(5_000)).toBe("half-open");
  });

  test("closes when all trials are well, with an empty window", () => {
    const opened = breaker(...times(10, failed));
    for (const nowMs of [5_000, 5_000]) opened.tryAcquire(nowMs);
    opened.record(well, 5_010);
    expect(opened.state(5_010)).toBe("half-open");
    opened.record(well, 5_010);
    for (const outcome of times(9, failed)) opened.record(outcome, 5_020);
    expect(opened.state(5_020)).toBe("closed");
  });

  test.each([failed, slow])("opens again when a trial is not well", (outcome) => {
    const opened = breaker(...times(10, failed));
    opened.tryAcquire(5_000);
    opened.record(outcome, 6_000);
    expect([opened.state(10_999), opened.state(11_000)]).toEqual(["open", "half-open"]);
  });

  test("does not count what began before it opened", () => {
    const opened = breaker(...times(10, failed));
    for (const nowMs of [100, 5_000, 5_000]) opened.record(well, nowMs);
    expect(opened.state(5_000)).toBe("half-open");
  });

  test("gives trials anew where those before were never recorded", () => {
    const opened = breaker(...times(10, failed));
    for (const nowMs of [5_000, 5_000]) opened.tryAcquire(nowMs);
    expect([opened.tryAcquire(9_999), opened.tryAcquire(10_000)]).toEqual([false, true]);
  });

  test("tripped again it counts from then", () => {
    const subject = new CircuitBreaker(options);
    subject.trip(1_000);
    subject.trip(2_000);
    expect([subject.state(6_999), subject.state(7_000)]).toEqual(["open", "half-open"]);
  });
});

test("whatever comes, it never lets more through than trials while it is not closed, and comes back", () => {
  const step = fc.record({
    afterMs: fc.nat(7_000),
    outcome: fc.constantFrom(well, failed, slow, undefined),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const subject = new CircuitBreaker(options);
      let nowMs = 0;
      for (const { afterMs, outcome } of steps) {
        nowMs += afterMs;
        const before = subject.state(nowMs);
        const acquired = subject.tryAcquire(nowMs);
        expect(acquired).toBe(before === "closed" || (before === "half-open" && acquired));
        if (acquired && outcome) subject.record(outcome, nowMs);
      }
      for (let call = 0; call < 3; call++) {
        nowMs += 10_000;
        if (subject.tryAcquire(nowMs)) subject.record(well, nowMs);
        if (subject.tryAcquire(nowMs)) subject.record(well, nowMs);
      }
      expect(subject.state(nowMs)).toBe("closed");
    }),
  );
});
