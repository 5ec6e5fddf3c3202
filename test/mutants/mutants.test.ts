import { describe, expect, test } from "vitest";
import { mutants } from "./mutants.ts";
import { huntDown, type Kill } from "./run.ts";

const AT_ONCE = 2;
/** Beside the known ones. */
const SEEDS = 120;
const TIMEOUT_MS = 300_000;

/** Starts hunting all of them, two at a time; each test waits for its own. */
function huntAll(): ReadonlyMap<string, Promise<Kill | null>> {
  const lines = Array.from({ length: AT_ONCE }, () => Promise.resolve<unknown>(undefined));
  return new Map(
    mutants.map((mutant, index) => {
      const hunt = lines[index % AT_ONCE]!.then(() => huntDown(mutant, SEEDS, TIMEOUT_MS));
      lines[index % AT_ONCE] = hunt.catch(() => undefined);
      return [mutant.name, hunt];
    }),
  );
}

describe("the simulation notices where", () => {
  const hunts = huntAll();

  test.each(mutants.map(({ name, rule }) => [name, rule] as const))(
    "%s (rule %i)",
    async (name) => {
      expect(await hunts.get(name)).not.toBeNull();
    },
    mutants.length * TIMEOUT_MS,
  );
});

test("every rule that a simulated fault can break has a mutant", () => {
  const rules = new Set(mutants.map(({ rule }) => rule));
  expect([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13].filter((rule) => !rules.has(rule))).toEqual([]);
});

test("no two mutants have one name", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});
