import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hopping } from "../../../processors/engine/pipeline/dsl.ts";
import {
  feed,
  freshTask,
  outputsTo,
  type Reading,
  readings,
  recordsOf,
  resultsOf,
  watermark,
} from "./task-fixture.ts";

const window = hopping({ sizeMs: 30, advanceMs: 10 });

describe("hopping windows", () => {
  test("an event is in every window that spans it", () => {
    const task = freshTask(readings({ window }));

    feed(task, recordsOf([{ t: 5, v: 3 }, watermark(1, 1_000)]));

    expect(resultsOf(task.cut())).toEqual([
      "k -20..10 n=1 total=3 rev=1",
      "k -10..20 n=1 total=3 rev=1",
      "k 0..30 n=1 total=3 rev=1",
    ]);
  });

  test("windows whose size is no multiple of the advance overlap once more now and then", () => {
    const task = freshTask(readings({ window: hopping({ sizeMs: 25, advanceMs: 10 }) }));

    feed(task, recordsOf([{ t: 4 }, { t: 5 }, watermark(2, 1_000)]));

    expect(resultsOf(task.cut())).toEqual([
      "k -20..5 n=1 total=1 rev=1",
      "k -10..15 n=2 total=2 rev=1",
      "k 0..25 n=2 total=2 rev=1",
    ]);
  });

  test("an offset shifts their starts", () => {
    const task = freshTask(readings({ window: hopping({ sizeMs: 20, advanceMs: 10, offsetMs: 3 }) }));

    feed(task, recordsOf([{ t: 3 }, watermark(1, 1_000)]));

    expect(resultsOf(task.cut())).toEqual(["k -7..13 n=1 total=1 rev=1", "k 3..23 n=1 total=1 rev=1"]);
  });

  test("an event late for some windows counts in the open ones, and is not late", () => {
    const task = freshTask(readings({ window }));

    feed(task, recordsOf([{ t: 25 }, { t: 8, v: 5 }, watermark(2, 1_000)]));

    const cut = task.cut();
    // -20..10 and -10..20 had closed before the second event came; 0..30 had not.
    expect(resultsOf(cut)).toEqual([
      "k 0..30 n=2 total=6 rev=1",
      "k 10..40 n=1 total=1 rev=1",
      "k 20..50 n=1 total=1 rev=1",
    ]);
    expect(task.counters).toMatchObject({ counted: 2, late: 0 });
  });

  test("an event that is too late for all of its windows is late by its last one", () => {
    const task = freshTask(readings({ window, dedupe: false }));

    feed(task, recordsOf([{ t: 45 }, { t: 8 }]));

    const [late] = outputsTo(task.cut(), "readings.late");
    expect(late!.headers).toMatchObject({ "spillway-late-by-ms": "15" });
  });
});

/** What must come out, the slow way: for every window that could be, every event judged by the watermark before it. */
function bruteForce(events: readonly Reading[], sizeMs: number, advanceMs: number, bounds: Bounds): string[] {
  const seen = new Set<string>();
  const windows = new Map<string, { start: number; key: string; n: number; total: number }>();
  let late = 0;
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (const { id, key, t, v } of events) {
    const starts: number[] = [];
    for (let start = -1_000; start <= 1_000; start += advanceMs) {
      if (start <= t && t < start + sizeMs) starts.push(start);
    }
    const open = starts.filter((start) => start + sizeMs + bounds.allowedLatenessMs > watermarkMs);
    const forgotten = t < watermarkMs - sizeMs - bounds.allowedLatenessMs;
    if (forgotten) late += 1;
    else if (!seen.has(id)) {
      seen.add(id);
      if (open.length === 0) late += 1;
      for (const start of open) {
        const name = `${key} ${start}`;
        const row = windows.get(name) ?? { start, key, n: 0, total: 0 };
        windows.set(name, { ...row, n: row.n + 1, total: row.total + v });
      }
    }
    watermarkMs = Math.max(watermarkMs, t - bounds.outOfOrderMs);
  }
  const rows = [...windows.values()].map(
    ({ start, key, n, total }) => `${key} ${start}..${start + sizeMs} n=${n} total=${total}`,
  );
  return [...rows.sort(), `late ${late}`];
}

interface Bounds {
  readonly outOfOrderMs: number;
  readonly allowedLatenessMs: number;
}

test("final results equal a brute-force calculation, whatever the order, size and advance", () => {
  const event = fc.record({
    key: fc.constantFrom("k1", "k2"),
    t: fc.integer({ min: -60, max: 160 }),
    v: fc.integer({ min: -9, max: 9 }),
  });
  // A repetition is the same event again: what has one id has one time.
  const stream = fc
    .array(event, { minLength: 1, maxLength: 40 })
    .map((events) => events.map((each, index) => ({ ...each, id: `e${index}` })))
    .chain((events) => fc.array(fc.constantFrom(...events), { maxLength: 50 }));
  const bounds = fc.record({
    outOfOrderMs: fc.constantFrom(0, 7, 40),
    allowedLatenessMs: fc.constantFrom(0, 12),
  });
  // The oracle walks starts from -1,000, so advances must divide it.
  const shape = fc.constantFrom([10, 10], [20, 10], [30, 10], [25, 10], [7, 5], [40, 8], [100, 20]);
  fc.assert(
    fc.property(stream, bounds, shape, (events, settings, [sizeMs, advanceMs]) => {
      const definition = readings({
        ...settings,
        window: hopping({ sizeMs: sizeMs!, advanceMs: advanceMs! }),
      });
      const task = freshTask(definition);

      feed(task, [...recordsOf(events), watermark(events.length, 10_000)]);

      const last = new Map<string, string>();
      for (const line of resultsOf(task.cut())) {
        const [text, name] = [line.replace(/ rev=\d+$/, ""), line.replace(/ n=.*$/, "")];
        last.set(name, text);
      }
      const actual = [...[...last.values()].sort(), `late ${task.counters.late}`];
      expect(actual).toEqual(bruteForce(events, sizeMs!, advanceMs!, settings));
    }),
    { numRuns: 500 },
  );
});
