import { describe, expect, it } from "vitest";
import { capacityAt, fit } from "../../../bench/operation/scalability.ts";

const measured = (sigma: number, kappa: number, ...workers: readonly number[]) =>
  workers.map((n) => ({ workers: n, capacity: capacityAt({ sigma, kappa, mostAt: 0 }, n) }));

describe("the Universal Scalability Law", () => {
  it.each([
    [0, 0],
    [0.05, 0],
    [0.03, 0.002],
  ])("finds σ %d and κ %d again", (sigma, kappa) => {
    const law = fit(measured(sigma, kappa, 1, 2, 4));
    expect(law.sigma).toBeCloseTo(sigma, 6);
    expect(law.kappa).toBeCloseTo(kappa, 6);
  });

  it("has its peak where one more worker does not add anything", () => {
    const law = fit(measured(0.03, 0.002, 1, 2, 4));
    const most = Math.round(law.mostAt);
    expect(capacityAt(law, most)).toBeGreaterThanOrEqual(capacityAt(law, most + 2));
    expect(capacityAt(law, most)).toBeGreaterThanOrEqual(capacityAt(law, most - 2));
  });

  it("takes what grows faster than the workers for no contention at all, not for less", () => {
    const law = fit([
      { workers: 2, capacity: 2.1 },
      { workers: 4, capacity: 4.3 },
    ]);
    expect(law).toEqual({ sigma: 0, kappa: 0, mostAt: Number.POSITIVE_INFINITY });
  });
});
