import fc from "fast-check";
import { expect, test } from "vitest";
import { event, inDisorder, type Result, run, scripts } from "../scripted-run.ts";
import { type Entry, joining, lineOf, watermarks } from "./join-fixture.ts";

type Side = "orders" | "payments";
type Sided = Entry & { readonly side: Side };

const entry = fc.record({
  key: fc.constantFrom("k", "l"),
  t: fc.integer({ min: -20, max: 60 }),
  side: fc.constantFrom<Side>("orders", "payments"),
});
const entries = fc
  .array(entry, { maxLength: 40 })
  .map((all): Sided[] => all.map((each, n) => ({ ...each, n })));

interface Bounds {
  readonly kind: "inner" | "left";
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Every order with every payment. */
function slowly(all: readonly Sided[], { kind, beforeMs, afterMs }: Bounds): string[] {
  return all
    .filter(({ side }) => side === "orders")
    .flatMap((order) => {
      const near = all.filter(
        ({ side, key, t }) =>
          side === "payments" && key === order.key && t >= order.t - beforeMs && t <= order.t + afterMs,
      );
      if (near.length === 0 && kind === "left") return [`${order.key} ${order.n} ${order.t}..${order.t + 1}`];
      return near.map(
        ({ n, t }) => `${order.key} ${order.n}+${n} ${Math.min(t, order.t)}..${Math.max(t, order.t) + 1}`,
      );
    });
}

const arrivalsOf = (all: readonly Sided[]) => [
  ...all.map(({ side, ...each }) => event(side, each)),
  ...watermarks(100_000),
];

test("results are those of every order with every payment, in any order below the bound", () => {
  const bounds = fc.record({
    kind: fc.constantFrom<"inner" | "left">("inner", "left"),
    beforeMs: fc.constantFrom(0, 3, 15),
    afterMs: fc.constantFrom(0, 4, 25),
  });
  const disorder = fc.record({
    outOfOrderMs: fc.constantFrom(0, 5, 40),
    delays: fc.array(fc.nat(), { minLength: 1 }),
    // Records of one input may be applied long before those of the other.
    lag: fc.constantFrom<Side | "none">("orders", "payments", "none"),
  });
  fc.assert(
    fc.property(entries, bounds, disorder, scripts, (all, join, { outOfOrderMs, delays, lag }, script) => {
      const definition = joining({ ...join, outOfOrderMs });
      const inTime = [...all].sort((a, b) => a.t - b.t);
      const arrived = inDisorder(inTime, delays, outOfOrderMs);
      const interleaved = [...arrived].sort((a, b) => Number(a.side === lag) - Number(b.side === lag));

      const orderly = run(definition, arrivalsOf(inTime));
      const disorderly = run(definition, arrivalsOf(interleaved), script);

      expect(orderly.late).toEqual([]);
      expect(orderly.results.map((row) => `${row.key} ${lineOf(row)}`).sort()).toEqual(
        slowly(all, join).sort(),
      );
      expect(new Set(orderly.results.map(identity)).size).toBe(orderly.results.length);
      expect(disorderly).toEqual(orderly);
    }),
    { numRuns: 300 },
  );
});

const identity = ({ key, window, pane }: Result) => `${key} ${window.start} ${window.end} ${pane}`;
