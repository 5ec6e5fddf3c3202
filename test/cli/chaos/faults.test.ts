/** The sequences of faults: the seed decides them, every kind comes, and what is begun is undone. */
import { describe, expect, test } from "vitest";
import { type Fault, faultsOf, LANES, type Lane } from "../../../cli/chaos/faults.ts";

const targets = { service: "Service one", pipeline: "airport-delays", topic: "flights" };

function take(lane: Lane, seed: number, count: number): Fault[] {
  const faults = faultsOf(lane, seed, targets);
  return Array.from({ length: count }, () => faults.next().value);
}

describe.each(LANES)("the lane %s", (lane) => {
  test("repeats with its seed, and differs with another", () => {
    expect(take(lane, 7, 50)).toEqual(take(lane, 7, 50));
    expect(take(lane, 7, 50)).not.toEqual(take(lane, 8, 50));
  });

  test("undoes whatever lasts", () => {
    for (const { begin, end, holdMs } of take(lane, 1, 500)) {
      const targetsOf = (paths: readonly string[]) => paths.map((path) => path.replace(/\/[^/]*$/, ""));
      if (holdMs > 0) expect(targetsOf(end)).toEqual(targetsOf(begin));
      else expect(end.length === 0 || /start$/.test(end[0]!)).toBe(true);
    }
  });
});

test.each([
  ["processors", ["kill", "kill all", "scale in", "scale out and in", "zombie"]],
  [
    "brokers",
    [
      "broker cut off",
      "broker hangs",
      "broker kill",
      "broker restart",
      "connections reset",
      "cut mid-request",
      "leader move",
    ],
  ],
  ["stores", ["both hangs", "both refuses", "dynamodb hangs", "dynamodb refuses", "s3 hangs", "s3 refuses"]],
] as const)("every kind comes in the lane %s", (lane, kinds) => {
  const met = new Set(take(lane, 1, 500).map(({ kind }) => kind));

  expect([...met].sort()).toEqual(kinds);
});

test("zombies outlast the session timeout, stores are away for up to 30 s", () => {
  const zombies = take("processors", 1, 500).filter(({ kind }) => kind === "zombie");
  const stores = take("stores", 1, 500);

  expect(Math.min(...zombies.map(({ holdMs }) => holdMs))).toBeGreaterThan(6_000);
  expect(Math.max(...stores.map(({ holdMs }) => holdMs))).toBe(30_000);
});

test("a service's name is escaped in a path", () => {
  expect(take("processors", 1, 1)[0]!.begin[0]).toContain("/services/Service%20one/");
});
