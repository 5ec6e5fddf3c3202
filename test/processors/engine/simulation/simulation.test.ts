import { expect, test } from "vitest";
import { simulate } from "./simulation.ts";

const SEEDS = 150;

test(`${SEEDS} seeds of crashes, zombies, lost answers and rebalances end exact`, async () => {
  const recoveries: Record<string, number> = {};
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulate(seed);
    expect(outcome.problems, `seed ${seed}; replay it with simulate(${seed})`).toEqual([]);
    for (const [step, count] of Object.entries(outcome.recoveries))
      recoveries[step] = (recoveries[step] ?? 0) + count;
  }
  // A run in which no prepared checkpoint was ever rolled forward would have shown nothing of the protocol.
  expect(recoveries["roll-forward"]).toBeGreaterThan(SEEDS / 10);
  expect(recoveries.load).toBeGreaterThan(SEEDS);
}, 240_000);
