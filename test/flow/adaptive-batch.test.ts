import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdaptiveBatch } from "../../flow/adaptive-batch.ts";

/** Full batches for as many minutes, one a second. */
function minutes(
  batch: AdaptiveBatch,
  from: number,
  count: number,
  msPerRecord: (size: number) => number,
): void {
  for (let second = from * 61; second < (from + count) * 61; second++) {
    const { size } = batch;
    batch.record({ records: size, tookMs: size * msPerRecord(size) }, second * 1_000);
  }
}

describe("an adaptive batch", () => {
  test("begins with the largest size, and stays there while the time per record does", () => {
    const batch = new AdaptiveBatch({ maxSize: 100 });
    minutes(batch, 0, 5, () => 3);
    expect(batch.size).toBe(100);
  });

  test("shrinks by a tenth when a minute's mean is more than a fifth above that of the minute before", () => {
    const batch = new AdaptiveBatch({ maxSize: 100 });
    minutes(batch, 0, 1, () => 10);
    minutes(batch, 1, 1, () => 12);
    expect(batch.size).toBe(100);
    minutes(batch, 2, 1, () => 14.5);
    expect(batch.size).toBe(90);
  });

  test("grows again slowly: two hundredths of the largest size a minute", () => {
    const batch = new AdaptiveBatch({ maxSize: 100 });
    minutes(batch, 0, 1, () => 10);
    minutes(batch, 1, 1, () => 13);
    minutes(batch, 2, 4, () => 13);
    expect(batch.size).toBe(98);
    minutes(batch, 6, 4, () => 13);
    expect(batch.size).toBe(100);
  });

  test("does not shrink for having shrunk, where a call costs the same whatever it holds", () => {
    const batch = new AdaptiveBatch({ maxSize: 100 });
    minutes(batch, 0, 1, (size) => 100 / size);
    minutes(batch, 1, 1, (size) => 130 / size);
    expect(batch.size).toBe(90);
    minutes(batch, 2, 1, (size) => 130 / size);
    expect(batch.size).toBe(92);
  });

  test("takes nothing from batches that are not full", () => {
    const batch = new AdaptiveBatch({ maxSize: 100 });
    minutes(batch, 0, 2, () => 1);
    for (let second = 0; second < 300; second++)
      batch.record({ records: 1, tookMs: 100 }, 200_000 + second * 1_000);
    expect(batch.size).toBe(100);
  });

  test("stays from 1 to the largest size", () => {
    const times = fc.array(fc.double({ min: 0.01, max: 1_000, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), times, (maxSize, msPerRecord) => {
        const batch = new AdaptiveBatch({ maxSize });
        for (const [minute, ms] of msPerRecord.entries()) {
          batch.record({ records: batch.size, tookMs: ms * batch.size }, minute * 60_000);
          expect(Number.isInteger(batch.size)).toBe(true);
          expect(batch.size).toBeGreaterThanOrEqual(1);
          expect(batch.size).toBeLessThanOrEqual(maxSize);
        }
      }),
    );
  });
});
