import { describe, expect, test } from "vitest";
import { Chain } from "../../../../processors/engine/checkpoint/chain.ts";

const blob = (name: string, bytes: number) => ({ name, bytes, sha256: "" });
const limits = { maxWholeBytes: 100, maxDeltas: 3 };
const large = blob("base", 1_000);

function grown(chain: Chain, deltas: number, bytes = 10): void {
  for (let i = 0; i < deltas; i++) {
    const { base, deltas: before } = chain.current;
    chain.committed({ base, deltas: [...before, blob(`d${before.length}`, bytes)] });
  }
}

describe("a chain", () => {
  test("of a small state is written whole each time", () => {
    const chain = new Chain(limits, { base: blob("base", 100), deltas: [] }, true);

    expect(chain.nextKind).toBe("base");
    expect(chain.toCompact).toBeUndefined();
  });

  test("of a large state grows by deltas until it is long, then is compacted beside", () => {
    const chain = new Chain(limits, { base: large, deltas: [] }, true);

    grown(chain, 2);
    expect([chain.nextKind, chain.toCompact]).toEqual(["delta", undefined]);
    grown(chain, 1);

    expect(chain.nextKind).toBe("delta");
    expect(chain.toCompact?.deltas.map(({ name }) => name)).toEqual(["d0", "d1", "d2"]);
  });

  test("is long as soon as its deltas are as large as its base", () => {
    const chain = new Chain(limits, { base: large, deltas: [] }, true);

    grown(chain, 1, 1_000);

    expect(chain.toCompact).toBeDefined();
  });

  test("goes on from the compacted base with the deltas that came meanwhile", () => {
    const chain = new Chain(limits, { base: large, deltas: [] }, true);
    grown(chain, 3);
    const compacted = chain.toCompact!;
    grown(chain, 1);

    chain.replace(compacted, blob("new", 1_030));

    expect(chain.current).toMatchObject({ base: { name: "new" }, deltas: [{ name: "d3" }] });
  });

  test("ignores a compaction of what was replaced by a whole base meanwhile", () => {
    const chain = new Chain(limits, { base: large, deltas: [] }, true);
    grown(chain, 3);
    const compacted = chain.toCompact!;
    chain.committed({ base: blob("whole", 1_000), deltas: [] });

    chain.replace(compacted, blob("late", 1));

    expect(chain.current.base.name).toBe("whole");
  });

  test("is written whole where the compaction does not keep up, or where deltas may not follow", () => {
    const overdue = new Chain(limits, { base: large, deltas: [] }, true);
    grown(overdue, 12);
    const foreign = new Chain(limits, { base: large, deltas: [] }, false);

    expect(overdue.nextKind).toBe("base");
    expect(foreign.nextKind).toBe("base");
  });
});
