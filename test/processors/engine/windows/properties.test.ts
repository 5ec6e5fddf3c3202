import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  everyCount,
  everyEventTimeMs,
  global,
  onClose,
  onUpdate,
  session,
  sliding,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { EmitPolicy } from "../../../../processors/engine/windows/emission.ts";
import { recordsOf, watermark } from "../task-fixture.ts";
import {
  type Emissions,
  expectedGlobalLog,
  expectedLog,
  type Item,
  sessionKind,
  slidingKind,
} from "./oracle.ts";
import { logFor, logInPieces, pieces, type WindowSetup, windowed } from "./window-fixture.ts";

const END_OF_TIME = 8.64e15;

/** Far apart, or so near that ends and starts of windows often fall together. */
const times = fc.oneof(fc.integer({ min: -30, max: 70 }), fc.integer({ min: 0, max: 12 }));

/** Elements of two keys in any order, and watermark records between them. */
const items: fc.Arbitrary<Item[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ key: fc.constantFrom("k1", "k2"), t: times }) },
      { weight: 1, arbitrary: fc.record({ watermarkMs: fc.integer({ min: -30, max: 120 }) }) },
    ),
    { minLength: 1, maxLength: 30, size: "max" },
  )
  .map((drawn) => [
    ...drawn.map((item, index) => ("key" in item ? { ...item, id: `e${index}` } : item)),
    { watermarkMs: END_OF_TIME },
  ]);

const policies = fc.constantFrom<EmitPolicy>(
  onClose(),
  onUpdate(),
  everyEventTimeMs(7),
  everyEventTimeMs(25),
);
const bounds = { outOfOrderMs: fc.constantFrom(0, 5, 40), allowedLatenessMs: fc.constantFrom(0, 4, 30) };

const sessions = fc
  .record({
    ...bounds,
    gapMs: fc.integer({ min: 1, max: 15 }),
    emit: policies,
    panes: fc.constantFrom("accumulating" as const, "discarding" as const),
  })
  .map(({ gapMs, ...rest }) => ({ ...rest, window: session({ gapMs }) }));
const slidings = fc
  .record({ ...bounds, sizeMs: fc.integer({ min: 1, max: 20 }) })
  .map(({ sizeMs, ...rest }) => ({ ...rest, window: sliding({ sizeMs }) }));
const globals = fc
  .record({
    outOfOrderMs: bounds.outOfOrderMs,
    trigger: fc.constantFrom(everyCount(1), everyCount(3), everyEventTimeMs(10), onUpdate()),
    panes: fc.constantFrom("accumulating" as const, "discarding" as const),
  })
  .map(({ trigger, ...rest }) => ({ ...rest, window: global({ trigger }) }));

const records = (from: readonly Item[]) =>
  recordsOf(from.map((item, offset) => ("id" in item ? item : watermark(offset, item.watermarkMs))));

const emissionsOf = ({ emit = onClose(), panes }: WindowSetup): Emissions => ({
  emit: emit.kind === "every" ? { everyMs: emit.everyMs } : emit.kind,
  discarding: panes === "discarding",
});

describe("everything that windows write equals a brute-force calculation, in its order", () => {
  test("sessions", () => {
    fc.assert(
      fc.property(items, sessions, (each, setup) => {
        const kind = sessionKind(setup.window.gapMs, setup.allowedLatenessMs);
        const expected = expectedLog(each, setup.outOfOrderMs, kind, emissionsOf(setup));
        expect(logFor(setup, records(each))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test("sliding windows", () => {
    fc.assert(
      fc.property(items, slidings, (each, setup) => {
        const kind = slidingKind(setup.window.sizeMs, setup.allowedLatenessMs);
        const expected = expectedLog(each, setup.outOfOrderMs, kind, emissionsOf(setup));
        expect(logFor(setup, records(each))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test("global windows", () => {
    fc.assert(
      fc.property(items, globals, (each, setup) => {
        const { trigger } = setup.window;
        const when =
          trigger.kind === "every"
            ? { everyMs: trigger.everyMs }
            : { count: trigger.kind === "every-count" ? trigger.count : 1 };
        const expected = expectedGlobalLog(each, setup.outOfOrderMs, when, setup.panes === "discarding");
        expect(logFor(setup, records(each))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe("whatever the batches, cuts and crashes, the same is written in the same order", () => {
  test.each<[string, fc.Arbitrary<WindowSetup>]>([
    ["sessions", sessions],
    ["sliding windows", slidings],
    ["global windows", globals],
  ])("%s", (_name, setups) => {
    fc.assert(
      fc.property(items, setups, pieces, (each, setup, plan) => {
        expect(logInPieces(windowed(setup), records(each), plan)).toEqual(logFor(setup, records(each)));
      }),
      { numRuns: 500 },
    );
  });
});

describe("any order with disorder strictly below the bound gives the same final results", () => {
  /** Elements in order, and the same ones in an order that the bound allows: by time plus less than the bound. */
  const orders = fc
    .array(
      fc.record({
        key: fc.constantFrom("k1", "k2"),
        t: fc.integer({ min: 0, max: 90 }),
        delayMs: fc.integer({ min: 0, max: 19 }),
      }),
      { minLength: 1, maxLength: 30 },
    )
    .map((drawn) => {
      const elements = drawn.map((each, index) => ({ ...each, id: `e${index}` }));
      const arrival = (a: (typeof elements)[0]) => a.t + a.delayMs;
      return {
        ordered: [...elements].sort((a, b) => a.t - b.t),
        shuffled: [...elements].sort((a, b) => arrival(a) - arrival(b)),
      };
    });

  test.each<[string, fc.Arbitrary<WindowSetup>]>([
    ["sessions", sessions.filter(({ panes }) => panes === "accumulating")],
    ["sliding windows", slidings],
  ])("%s", (_name, setups) => {
    fc.assert(
      fc.property(orders, setups, ({ ordered, shuffled }, setup) => {
        const final = (elements: readonly Item[]) =>
          finalOf(logFor({ ...setup, outOfOrderMs: 20 }, records([...elements, { watermarkMs: 1_000 }])));
        expect(final(shuffled)).toEqual(final(ordered));
      }),
      { numRuns: 500 },
    );
  });
});

/** The last result of each window that was not taken back; elements of equal times in any order. */
function finalOf(log: readonly string[]): string[] {
  const last = new Map<string, string>();
  for (const line of log) {
    const [name, , ids] = line.slice(1).split(/ (rev\d+) ?/) as [string, string, string];
    if (line.startsWith("-")) last.delete(name);
    else last.set(name, ids.split(",").sort().join(","));
  }
  return [...last].map(([name, ids]) => `${name} ${ids}`).sort();
}
