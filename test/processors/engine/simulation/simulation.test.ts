import { expect, test } from "vitest";
import { simulate } from "./simulation.ts";

const SEEDS = 200;

test(`${SEEDS} seeds of crashes, zombies, lost answers, outages and rebalances end exact`, async () => {
  const recoveries: Record<string, number> = {};
  let parked = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulate(seed);
    expect(
      outcome.problems,
      `seed ${seed}; replay it with npm run simulate -- --from ${seed} --seeds 1`,
    ).toEqual([]);
    for (const [step, count] of Object.entries(outcome.recoveries))
      recoveries[step] = (recoveries[step] ?? 0) + count;
    parked += outcome.parked;
  }
  // A run in which no prepared checkpoint was ever rolled forward would have shown nothing of the protocol.
  expect(recoveries["roll-forward"]).toBeGreaterThan(SEEDS);
  expect(recoveries.load).toBeGreaterThan(SEEDS);
  expect(parked).toBeGreaterThan(SEEDS / 20);
}, 240_000);
