import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../../processors/engine/state/bytes.ts";
import { SeenEvents } from "../../../../processors/engine/state/seen.ts";

const HORIZON_MS = 160;

describe("the events that were seen", () => {
  test("are forgotten once their bucket lies before the horizon, also while they are still in memory", () => {
    const seen = new SeenEvents(HORIZON_MS);
    for (let id = 0; id < 100; id++) seen.add(`old-${id}`, 5, 0);
    seen.add("young", 100, 0);

    seen.expire(HORIZON_MS + 10);

    expect([seen.size, seen.has("old-0"), seen.has("old-99"), seen.has("young")]).toEqual([
      1,
      false,
      false,
      true,
    ]);
  });

  test("may be seen again after that, and are then remembered as long as any other", () => {
    const seen = new SeenEvents(HORIZON_MS);
    seen.add("again", 5, 0);
    seen.add("young", 100, 0);
    seen.expire(HORIZON_MS + 10);
    seen.add("again", 110, 0);
    for (let id = 0; id < 20; id++) seen.add(`more-${id}`, 110, 0);

    expect(seen.has("again")).toBe(true);
    seen.expire(HORIZON_MS + 119);
    expect(seen.has("again")).toBe(true);
    seen.expire(HORIZON_MS + 120);
    expect([seen.has("again"), seen.size]).toEqual([false, 0]);
  });

  test("are what a log of them says, through any expiries and snapshots", () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 12 }), aheadMs: fc.integer({ min: 0, max: 60 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.nat(9), (steps, every) => {
        let seen = new SeenEvents(HORIZON_MS);
        const log = new Map<string, number>();
        let [nowMs, watermarkMs] = [0, 0];
        for (const [index, { id, aheadMs }] of steps.entries()) {
          nowMs += aheadMs;
          const identity = `id-${id}`;
          const since = log.get(identity);
          const remembered = since !== undefined && bucketOf(since) >= bucketOf(watermarkMs - HORIZON_MS);
          expect(seen.has(identity)).toBe(remembered);
          if (!remembered) {
            seen.add(identity, nowMs, 7);
            log.set(identity, nowMs);
          }
          watermarkMs = nowMs;
          seen.expire(watermarkMs);
          if (index % (every + 1) === every) seen = recovered(seen);
        }
        const alive = [...log.values()].filter(
          (since) => bucketOf(since) >= bucketOf(watermarkMs - HORIZON_MS),
        );
        expect(seen.size).toBe(alive.length);
      }),
    );
  });
});

const bucketOf = (timeMs: number): number => Math.floor(timeMs / (HORIZON_MS / 16));

function recovered(seen: SeenEvents): SeenEvents {
  const writer = new ByteWriter();
  seen.writeBase(writer);
  const next = new SeenEvents(HORIZON_MS);
  next.read(new ByteReader(writer.finish()));
  next.restored();
  return next;
}
