import { expect, test } from "vitest";
import { Distribution } from "../../processors/distribution.ts";

test("few values are told as they are, each as often as it weighs, and only once", () => {
  const distribution = new Distribution();
  distribution.add(3);
  distribution.add(1, 2);

  expect(distribution.take(5)).toEqual([1, 1, 3]);
  expect(distribution.take(5)).toEqual([]);
});

test("many are told by values at equal steps of rank, the largest for the last", () => {
  const distribution = new Distribution();
  for (let value = 1_000; value >= 1; value -= 1) distribution.add(value);

  const taken = distribution.take(50);

  expect(taken).toHaveLength(50);
  expect(taken.slice(0, 3)).toEqual([10, 30, 50]);
  expect(taken.slice(-2)).toEqual([970, 1_000]);
});

test("a value that weighs nearly everything is nearly all of them", () => {
  const distribution = new Distribution();
  distribution.add(100, 9_500);
  distribution.add(900, 500);

  const taken = distribution.take(20);

  expect(taken.filter((value) => value === 100)).toHaveLength(19);
  expect(taken.at(-1)).toBe(900);
});
