import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBudget } from "../../flow/retry-budget.ts";

const options = { maxRetryShare: 0.1, minRetriesPerSecond: 2, maxSavedRetries: 5 };

test("begins with what may be saved, then waits for the retries of each second", () => {
  const budget = new RetryBudget(options, 0);
  const waits = Array.from({ length: 8 }, () => budget.take(0));
  expect(waits).toEqual([0, 0, 0, 0, 0, 500, 1_000, 1_500]);
});

test("ten calls are a retry", () => {
  const budget = new RetryBudget({ ...options, maxSavedRetries: 1 }, 0);
  expect(budget.take(0)).toBe(0);
  for (let call = 0; call < 10; call++) budget.called();
  expect(budget.take(0)).toBeCloseTo(0, 9);
  expect(budget.take(0)).toBeCloseTo(500, 6);
});

test("saves no more than it may, however many calls there were", () => {
  const budget = new RetryBudget(options, 0);
  for (let call = 0; call < 1_000; call++) budget.called();
  const waits = Array.from({ length: 6 }, () => budget.take(60_000));
  expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(5);
});

test("retries that are due by any time are at most the share of the calls, those of the seconds, and what was saved", () => {
  const steps = fc.array(
    fc.record({ gapMs: fc.nat({ max: 2_000 }), calls: fc.nat(30), retries: fc.nat(10) }),
    {
      maxLength: 50,
    },
  );
  fc.assert(
    fc.property(steps, (script) => {
      const budget = new RetryBudget(options, 0);
      const dueMs: number[] = [];
      let [nowMs, calls] = [0, 0];
      for (const step of script) {
        nowMs += step.gapMs;
        calls += step.calls;
        for (let call = 0; call < step.calls; call++) budget.called();
        for (let retry = 0; retry < step.retries; retry++) dueMs.push(nowMs + budget.take(nowMs));
        const due = dueMs.filter((ms) => ms <= nowMs).length;
        expect(due).toBeLessThanOrEqual(5 + 0.1 * calls + (2 * nowMs) / 1_000 + 1e-6);
      }
    }),
  );
});
