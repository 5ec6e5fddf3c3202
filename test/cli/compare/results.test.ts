import { expect, test } from "vitest";
import { compareResults, Results } from "../../../cli/compare/results.ts";
import type { ResultRecord } from "../../../contracts/results.ts";

const HOUR_MS = 3_600_000;
const ALWAYS = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };

const result = (
  key: string,
  hour: number,
  value: unknown,
  rest: Partial<ResultRecord> = {},
): ResultRecord => ({
  kind: "result",
  pipeline: "p",
  key,
  window: { start: hour * HOUR_MS, end: (hour + 1) * HOUR_MS },
  value,
  revision: 1,
  version: { generation: 1, checkpoint: 1, index: 0 },
  ...rest,
});

function resultsOf(records: readonly ResultRecord[], range = ALWAYS): Results {
  const results = new Results(range);
  for (const record of records) results.add(record);
  return results;
}

test("the newest version of each window and key is compared, in whatever order it came", () => {
  const version = { generation: 2, checkpoint: 1, index: 0 };
  const first = [result("a", 0, { n: 2 }, { version }), result("a", 0, { n: 1 }), result("b", 0, { n: 1 })];
  const comparison = compareResults(
    resultsOf(first),
    resultsOf([result("b", 0, { n: 1 }), result("a", 0, { n: 2 })]),
  );

  expect(comparison).toEqual({
    equal: 2,
    different: 0,
    onlyFirst: 0,
    onlySecond: 0,
    leftOut: [],
    examples: [],
  });
});

test("what differs is counted and shown, fields that only one has are left out", () => {
  const first = resultsOf([result("a", 0, { n: 1 }), result("b", 0, { n: 1 }), result("c", 1, { n: 1 })]);
  const second = resultsOf([
    result("a", 0, { n: 1, most: 3 }),
    result("b", 0, { n: 2 }),
    result("d", 1, { n: 1 }),
  ]);

  expect(compareResults(first, second)).toEqual({
    equal: 1,
    different: 1,
    onlyFirst: 1,
    onlySecond: 1,
    leftOut: ["most"],
    examples: [
      "b, 1970-01-01T00:00:00.000Z to 1970-01-01T01:00:00.000Z: n 1 and 2",
      "c, 1970-01-01T01:00:00.000Z to 1970-01-01T02:00:00.000Z: only in the first",
      "d, 1970-01-01T01:00:00.000Z to 1970-01-01T02:00:00.000Z: only in the second",
    ],
  });
});

test("a result that was taken back is none, and panes are rows of their own", () => {
  const taken = result("a", 0, null, {
    kind: "retract",
    version: { generation: 1, checkpoint: 2, index: 0 },
  });
  const panes = [result("b", 0, { n: 1 }, { pane: 1 }), result("b", 0, { n: 2 }, { pane: 2 })];
  const comparison = compareResults(resultsOf([result("a", 0, { n: 1 }), taken, ...panes]), resultsOf(panes));

  expect(comparison).toMatchObject({ equal: 2, onlyFirst: 0, different: 0 });
});

test("only windows inside the range count", () => {
  const range = { fromMs: HOUR_MS, untilMs: 3 * HOUR_MS };
  const records = [0, 1, 2, 3].map((hour) => result("a", hour, { n: hour }));

  expect(compareResults(resultsOf(records, range), resultsOf(records, range)).equal).toBe(2);
});
