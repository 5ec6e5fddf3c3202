import { expect, test } from "vitest";
import { fullJitterMs } from "../../flow/backoff.ts";

const options = { baseMs: 100, maxMs: 1_500 };

test.each([
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_500],
  [5_000, 1_500],
])("after %d failures the delay is anything up to %d ms", (failures, mostMs) => {
  expect(fullJitterMs(failures, options, () => 0)).toBe(0);
  expect(fullJitterMs(failures, options, () => 0.5)).toBe(mostMs / 2);
  expect(fullJitterMs(failures, options, () => 1)).toBe(mostMs);
});
