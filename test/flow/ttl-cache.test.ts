import fc from "fast-check";
import { expect, test } from "vitest";
import { TtlCache } from "../../flow/ttl-cache.ts";

test("gives back what was written until it is too old, whether it was read or not", () => {
  const cache = new TtlCache<string>({ ttlMs: 100, maxEntries: 2 });
  cache.set("a", "A", 0);
  expect(cache.get("a", 99)).toBe("A");
  expect(cache.get("a", 100)).toBeUndefined();
  expect(cache.size).toBe(0);
});

test("forgets what was not read for longest once it is full", () => {
  const cache = new TtlCache<string>({ ttlMs: 100, maxEntries: 2 });
  cache.set("a", "A", 0);
  cache.set("b", "B", 0);
  cache.get("a", 1);
  cache.set("c", "C", 2);
  expect(["a", "b", "c"].map((key) => cache.get(key, 3))).toEqual(["A", undefined, "C"]);
});

test("what it gives is the newest that was written, and no older than its time; it never holds more than it may", () => {
  const steps = fc.array(
    fc.record({ gapMs: fc.nat(40), key: fc.constantFrom("a", "b", "c", "d"), write: fc.boolean() }),
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 3 }), (script, maxEntries) => {
      const cache = new TtlCache<number>({ ttlMs: 100, maxEntries });
      const written = new Map<string, { value: number; atMs: number }>();
      let nowMs = 0;
      for (const [value, { gapMs, key, write }] of script.entries()) {
        nowMs += gapMs;
        if (write) {
          cache.set(key, value, nowMs);
          written.set(key, { value, atMs: nowMs });
        }
        const given = cache.get(key, nowMs);
        const last = written.get(key);
        if (write) expect(given).toBe(value);
        if (given !== undefined) expect([given, nowMs - last!.atMs < 100]).toEqual([last!.value, true]);
        expect(cache.size).toBeLessThanOrEqual(maxEntries);
      }
    }),
  );
});
