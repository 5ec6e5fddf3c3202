import { expect, test } from "vitest";
import { userActivity } from "../../../cli/generate/user-activity.ts";
import { fraudSignals } from "../../../processors/pipelines/fraud-signals.ts";
import { run } from "../engine/scripted-run.ts";
import { generated } from "./generated.ts";

test.each([1, 2, 3])(
  "every fraud is told, and nothing else is, in generated traffic with seed %i",
  (seed) => {
    const { arrivals, truth } = generated(userActivity(), "user-activity", seed);

    const { results, counters, dead } = run(fraudSignals, arrivals);

    const frauds = truth.filter(({ kind, signal }) => kind === "fraud" && signal);
    const expected = frauds.map(({ userId, parts }) => {
      const ids = parts as Record<string, string>;
      return [userId, ids["login.succeeded"], ids["payment.made"], ids["location.reported"]].join(" ");
    });
    const told = results.map(({ key, value }) => {
      const { loginId, paymentId, locationId } = value as Record<string, string>;
      return [key, loginId, paymentId, locationId].join(" ");
    });
    expect(expected.length).toBeGreaterThan(5);
    expect(told.sort()).toEqual(expected.sort());
    expect(dead).toEqual([]);
    expect(counters.duplicate).toBeGreaterThan(0);
  },
);
