import fc from "fast-check";
import { expect, test } from "vitest";
import { LargeMap } from "../../../../processors/engine/state/large-map.ts";

const action = fc.record({
  kind: fc.constantFrom("set", "delete", "get"),
  key: fc.constantFrom("a", "b", "c", "d", "e", "f", "__proto__", "constructor"),
  value: fc.nat(),
});

test("a large map of several small ones is what one map is, whatever is done to it", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (actions, max) => {
      const large = new LargeMap<number>(max);
      const map = new Map<string, number>();
      for (const { kind, key, value } of actions) {
        if (kind === "set") {
          large.set(key, value);
          map.set(key, value);
        } else if (kind === "delete") {
          large.delete(key);
          map.delete(key);
        }
        expect(large.get(key)).toBe(map.get(key));
        expect(large.size).toBe(map.size);
      }
      large.clear();
      expect([large.size, ...[...map.keys()].map((key) => large.get(key))]).toEqual([
        0,
        ...[...map].map(() => undefined),
      ]);
    }),
  );
});
