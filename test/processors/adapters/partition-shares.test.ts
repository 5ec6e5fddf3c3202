import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Claim, share } from "../../../processors/adapters/partition-shares.ts";

const claim = (memberId: string, partitions: readonly number[] = [], generation = 1): Claim => ({
  memberId,
  generation,
  partitions,
});

const cases: readonly [string, number, readonly Claim[], Record<string, readonly number[]>][] = [
  ["one member takes all", 3, [claim("a")], { a: [0, 1, 2] }],
  ["members without a past share evenly", 4, [claim("a"), claim("b")], { a: [0, 2], b: [1, 3] }],
  ["the rest goes to one more member each", 5, [claim("a"), claim("b")], { a: [0, 1, 3], b: [2, 4] }],
  [
    "nothing moves while nobody comes or goes",
    4,
    [claim("a", [3, 1]), claim("b", [0, 2])],
    { a: [1, 3], b: [0, 2] },
  ],
  [
    "a fourth member takes its share of twelve, one from each",
    12,
    [claim("a", [0, 3, 6, 9]), claim("b", [1, 4, 7, 10]), claim("c", [2, 5, 8, 11]), claim("d", [], 0)],
    { a: [0, 3, 6], b: [1, 4, 7], c: [2, 5, 8], d: [9, 10, 11] },
  ],
  [
    "what a member leaves is spread, the others keep theirs",
    6,
    [claim("a", [0, 3]), claim("c", [2, 5])],
    { a: [0, 3, 1], c: [2, 5, 4] },
  ],
  [
    "a member with one more keeps it where one has to",
    3,
    [claim("a", [0]), claim("b", [1, 2])],
    { a: [0], b: [1, 2] },
  ],
  ["members beyond the partitions get none", 1, [claim("a"), claim("b", [0])], { a: [], b: [0] }],
  [
    "the newer generation has a partition that two claim",
    2,
    [claim("a", [0, 1], 4), claim("b", [0], 5)],
    { a: [1], b: [0] },
  ],
  ["partitions that are gone are forgotten", 2, [claim("a", [0, 7]), claim("b", [1])], { a: [0], b: [1] }],
  ["new partitions go where there is room", 4, [claim("a", [0]), claim("b", [1])], { a: [0, 2], b: [1, 3] }],
];

describe("sharing partitions", () => {
  test.each(cases)("%s", (_name, partitions, claims, expected) => {
    expect(Object.fromEntries(share(partitions, claims))).toEqual(expected);
    expect(Object.fromEntries(share(partitions, [...claims].reverse()))).toEqual(expected);
  });

  const groups = fc.record({
    partitions: fc.integer({ min: 1, max: 24 }),
    claims: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }).chain((ids) =>
      fc.tuple(
        ...ids.map((id) =>
          fc.record({
            memberId: fc.constant(`member-${id}`),
            generation: fc.nat(3),
            partitions: fc.uniqueArray(fc.nat(30)),
          }),
        ),
      ),
    ),
  });

  test("gives every partition to one member, evenly, whatever the members claim", () => {
    fc.assert(
      fc.property(groups, ({ partitions, claims }) => {
        const shares = [...share(partitions, claims).values()];
        expect(shares.flat().sort((a, b) => a - b)).toEqual([...Array(partitions).keys()]);
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("a member that joins moves no more than its own share", () => {
    fc.assert(
      fc.property(groups, ({ partitions, claims }) => {
        const before = share(partitions, claims);
        const settled = [...before].map(([memberId, held]) => claim(memberId, held, 9));
        const after = share(partitions, [...settled, claim("newcomer", [], 0)]);
        const moved = [...before].flatMap(([memberId, held]) =>
          held.filter((partition) => !after.get(memberId)!.includes(partition)),
        );
        expect(moved).toHaveLength(after.get("newcomer")!.length);
      }),
    );
  });
});
