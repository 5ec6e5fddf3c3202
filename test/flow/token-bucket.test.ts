import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limitsWithin, TokenBucket } from "../../flow/token-bucket.ts";

/** Takes whatever there is at each of these times; when each token was taken. */
function takenAt(bucket: TokenBucket, timesMs: readonly number[]): number[] {
  const taken: number[] = [];
  for (const timeMs of timesMs) {
    for (; bucket.waitMs(timeMs) === 0; taken.push(timeMs)) bucket.take(timeMs);
  }
  return taken;
}

/** The most that lies in any span of one second, its start included and its end not. */
const mostInASecond = (takenMs: readonly number[]): number =>
  Math.max(
    0,
    ...takenMs.map((startMs) => takenMs.filter((ms) => ms >= startMs && ms < startMs + 1_000).length),
  );

const sorted = (gapsMs: readonly number[]): number[] => {
  let nowMs = 0;
  return gapsMs.map((gapMs) => {
    nowMs += gapMs;
    return nowMs;
  });
};
const gaps = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 60 });

describe("a token bucket", () => {
  test("begins empty, and saves no more than its burst", () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 3 }, 0);
    expect(bucket.waitMs(0)).toBe(100);
    expect(takenAt(bucket, [99, 100, 10_000])).toEqual([100, 10_000, 10_000, 10_000]);
  });

  test("lets more be taken than there are, and nothing until that is paid", () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 3 }, 0);
    bucket.take(300, 13);
    expect(bucket.waitMs(300)).toBe(1_100);
    expect(() => bucket.take(1_399)).toThrow(RangeError);
    expect(takenAt(bucket, [1_400, 10_000])).toEqual([1_400, 10_000, 10_000, 10_000]);
  });

  test("says when there is a token, and refuses one before", () => {
    const bucket = new TokenBucket({ ratePerSecond: 4, burst: 1 }, 0);
    bucket.take(250);
    expect(bucket.waitMs(260)).toBe(240);
    expect(() => bucket.take(499)).toThrow(RangeError);
    bucket.take(500);
  });

  test("keeps what was saved when its limits change, as much as may be", () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 4 }, 0);
    bucket.change({ ratePerSecond: 100, burst: 2 }, 1_000);
    expect(takenAt(bucket, [1_000])).toHaveLength(2);
    bucket.change({ ratePerSecond: 1, burst: 1 }, 1_000);
    expect(bucket.waitMs(1_000)).toBe(1_000);
  });

  test("loses nothing to a caller that asks as often as it likes", () => {
    const bucket = new TokenBucket({ ratePerSecond: 250, burst: 5 }, 0);
    const everyMs = Array.from({ length: 10_001 }, (_, nowMs) => nowMs);
    expect(takenAt(bucket, everyMs)).toHaveLength(2_500);
  });

  test("whenever it is asked, no second has more than was stated", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), gaps, (maxPerSecond, gapsMs) => {
        const bucket = new TokenBucket(limitsWithin(maxPerSecond), 0);
        expect(mostInASecond(takenAt(bucket, sorted(gapsMs)))).toBeLessThanOrEqual(maxPerSecond);
      }),
    );
  });

  test("shares that change together have no second with more than the whole", () => {
    const changes = fc.array(
      fc.record({ gapMs: fc.integer({ min: 0, max: 400 }), first: fc.nat({ max: 8 }) }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 200 }), changes, (maxPerSecond, script) => {
        // One process has `first` of eight tasks, the other the rest.
        const shareOf = (tasks: number) => limitsWithin(Math.max((maxPerSecond * tasks) / 8, 0.001));
        const [a, b] = [new TokenBucket(shareOf(4), 0), new TokenBucket(shareOf(4), 0)];
        const taken: number[] = [];
        let nowMs = 0;
        for (const { gapMs, first } of script) {
          nowMs += gapMs;
          for (const bucket of [a, b]) taken.push(...takenAt(bucket, [nowMs]));
          a.change(shareOf(first), nowMs);
          b.change(shareOf(8 - first), nowMs);
        }
        // Each change may move a burst, a thirtieth, from one process to the other.
        expect(mostInASecond(taken)).toBeLessThanOrEqual(Math.ceil(maxPerSecond * 1.1) + 2);
      }),
    );
  });

  test.each([
    [500, { ratePerSecond: 471, burst: 15 }],
    [1, { ratePerSecond: 0.97, burst: 1 }],
    [1.9, { ratePerSecond: 0.97, burst: 1 }],
    [0.25, { ratePerSecond: 0.25, burst: 1 }],
  ])("%d a second is %o", (maxPerSecond, limits) => {
    expect(limitsWithin(maxPerSecond)).toEqual(limits);
  });
});
