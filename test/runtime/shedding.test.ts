import { afterEach, expect, it, vi } from "vitest";
import { defaultShedding } from "../../contracts/signals.ts";
import { sheddingThresholds } from "../../runtime/shedding.ts";

afterEach(() => vi.unstubAllEnvs());

it("are the default ones where the environment says nothing", () => {
  expect(sheddingThresholds()).toEqual(defaultShedding);
});

it("are what the stack has written", () => {
  const own = { spillLow: 0.5, refuseLow: 0.6, refuseNormal: 0.7 };
  vi.stubEnv("SPILLWAY_SHEDDING", JSON.stringify(own));
  expect(sheddingThresholds()).toEqual(own);
});
