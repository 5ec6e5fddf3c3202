import { expect, test } from "vitest";
import { type InputProgress, nextInput } from "../../../../processors/engine/worker/turns.ts";

const SKEW_MS = 100;
const NEVER = Number.NEGATIVE_INFINITY;

const waits = (eventTimeMs: number | null): InputProgress => ({ waiting: true, eventTimeMs, idle: false });
const silent = (eventTimeMs: number | null): InputProgress => ({ waiting: false, eventTimeMs, idle: false });
const idle = (input: InputProgress): InputProgress => ({ ...input, idle: true });

test.each<[string, readonly InputProgress[], number | undefined]>([
  ["nothing waits", [silent(5), silent(7)], undefined],
  ["one waits", [silent(5), waits(7)], 1],
  ["the one that has come least far is first", [waits(7), waits(5)], 1],
  ["the first of those that have come as far", [waits(5), waits(5)], 0],
  ["one that has said nothing yet is before all others", [waits(7), waits(NEVER)], 1],
  ["as far ahead as may be", [waits(105), silent(5)], 0],
  ["too far ahead of a silent one", [waits(106), silent(5)], undefined],
  ["of one that has said nothing yet", [waits(106), silent(NEVER)], undefined],
  ["but not of an idle one", [waits(106), idle(silent(5))], 0],
  ["nor of a table", [waits(106), silent(null)], 0],
  ["a table is before all others", [waits(5), waits(null)], 1],
  [
    "an idle one that has something is before all others: it will have another time",
    [waits(5), idle(waits(999))],
    1,
  ],
  ["alone", [waits(1_000_000)], 0],
  ["alone, and nothing said", [waits(NEVER)], 0],
])("%s", (_, inputs, expected) => {
  expect(nextInput(inputs, SKEW_MS)).toBe(expected);
});
