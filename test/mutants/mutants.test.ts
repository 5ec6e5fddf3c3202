import { describe, expect, test } from "vitest";
import { mutants, simulated, tested } from "./mutants.ts";
import { huntDown, type Kill } from "./run.ts";
import { runTests, type TestRun } from "./tests.ts";

const AT_ONCE = 2;
/** Beside the known ones. */
const SEEDS = 120;
const TIMEOUT_MS = 300_000;

/** Runs what it is given in its order, so many at a time. */
function queue(atOnce: number): <Result>(job: () => Promise<Result>) => Promise<Result> {
  const lines = Array.from({ length: atOnce }, () => Promise.resolve<unknown>(undefined));
  let jobs = 0;
  return (job) => {
    const line = jobs++ % atOnce;
    const done = lines[line]!.then(job);
    lines[line] = done.catch(() => undefined);
    return done;
  };
}

/** Starts hunting all of them; each test waits for its own. */
const enqueue = queue(AT_ONCE);
const hunts: ReadonlyMap<string, Promise<Kill | null>> = new Map(
  mutants.map((mutant) => [
    mutant.name,
    enqueue(() => huntDown(mutant, { seeds: SEEDS, timeoutMs: TIMEOUT_MS })),
  ]),
);
const tests = [...new Set(tested.map((mutant) => mutant.test))];
const unchanged: Promise<TestRun> = enqueue(() => runTests(null, tests, TIMEOUT_MS));

const namesOf = (some: typeof mutants) => some.map(({ name, rule }) => [name, rule] as const);
/** One waits for those before it. */
const patience = mutants.length * TIMEOUT_MS;

describe("the simulation notices where", () => {
  test.each(namesOf(simulated))("%s (rule %i)", async (name) => expectCaught(name), patience);
});

describe("a test notices where", () => {
  test.each(namesOf(tested))("%s (rule %i)", async (name) => expectCaught(name), patience);

  test(
    "and none fails, run like that, where nothing is changed",
    async () => {
      const { passed, failed } = await unchanged;
      expect(failed).toEqual([]);
      expect(passed).toBeGreaterThan(tests.length);
    },
    patience,
  );
});

async function expectCaught(name: string): Promise<void> {
  expect(await hunts.get(name)).not.toBeNull();
}

test(
  "a test that could not be run has noticed nothing",
  async () => {
    const run = enqueue(() => runTests(null, ["test/mutants/no-such.test.ts"], TIMEOUT_MS));
    await expect(run).rejects.toThrow(/0 of 1 files could be run|could not be run/);
  },
  patience,
);

test.each(Array.from({ length: 15 }, (_, index) => index + 1))("rule %i has a mutant", (rule) => {
  expect(mutants.some((mutant) => mutant.rule === rule)).toBe(true);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13])(
  "rule %i has a mutant that the simulation notices",
  (rule) => {
    expect(simulated.some((mutant) => mutant.rule === rule)).toBe(true);
  },
);

test("no two mutants have one name", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});
