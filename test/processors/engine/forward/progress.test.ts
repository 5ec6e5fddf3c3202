import { expect, test } from "vitest";
import { Progress } from "../../../../processors/engine/operators/forward/progress.ts";
import { ByteReader, ByteWriter } from "../../../../processors/engine/state/bytes.ts";

const MAX_RECORDS = 3;

/** Applies records of these arrivals, each one's watermark its place; the places at which it told. */
function toldAt(progress: Progress, arrivals: readonly number[], from = 1): number[] {
  const told: number[] = [];
  for (const [index, arrivalMs] of arrivals.entries()) {
    const place = from + index;
    if (!progress.isDue(place, false, arrivalMs, false)) continue;
    progress.told(place, false, arrivalMs);
    told.push(place);
  }
  return told;
}

test("tells at the first record, then for so many records, or a second of arrival", () => {
  expect(toldAt(new Progress(MAX_RECORDS), [0, 1, 2, 3, 4, 5, 6])).toEqual([1, 4, 7]);
  expect(toldAt(new Progress(100), [0, 500, 999, 1_000, 1_500, 2_100])).toEqual([1, 4, 6]);
});

test("goes on counting after recovery", () => {
  const progress = new Progress(MAX_RECORDS);
  toldAt(progress, [0, 1, 2]);
  const writer = new ByteWriter();
  progress.write(writer);
  const restored = new Progress(MAX_RECORDS);
  restored.read(new ByteReader(writer.finish()));

  expect(toldAt(restored, [3, 4, 5, 6], 4)).toEqual([4, 7]);
});

test("tells nothing twice, unless something else waits", () => {
  const progress = new Progress(1);
  progress.told(10, false, 0);

  expect(progress.isDue(10, false, 1, false)).toBe(false);
  expect(progress.isDue(10, false, 2, true)).toBe(true);
});

test("tells at once after a tick or a watermark record, and when silence begins or ends", () => {
  const progress = new Progress(100);
  progress.told(10, false, 0);

  expect(progress.isDue(11, false, 1, false)).toBe(false);
  expect(progress.isDue(11, false, null, false)).toBe(true);
  expect(progress.isDue(10, true, null, false)).toBe(true);
  progress.told(10, true, null);
  expect(progress.isDue(10, false, 1, false)).toBe(true);
});
