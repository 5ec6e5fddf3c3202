import { describe, expect, it } from "vitest";
import { type CpuProfile, flameSvg, framesOf, hottest } from "../../../bench/streams/flame.ts";

const node = (
  id: number,
  functionName: string,
  children: readonly number[] = [],
  url = "file:///main.mjs",
) => ({
  id,
  callFrame: { functionName, url },
  children,
});

/** work (10 µs) calls parse (60) and a<b> (20), twice from different places; 10 idle. */
const profile: CpuProfile = {
  nodes: [
    node(1, "(root)", [2, 6, 7]),
    node(2, "work", [3, 4, 5]),
    node(3, "parse"),
    node(4, "a<b>"),
    node(5, "parse"),
    node(6, "(idle)"),
    node(7, "read", [], "node:net"),
  ],
  samples: [2, 3, 4, 5, 6, 7],
  timeDeltas: [10, 40, 20, 20, 10, 10],
};

describe("a flame graph", () => {
  it("puts calls of the same name from the same caller together, and leaves idle time out", () => {
    const work = framesOf(profile).callees.get("work")!;
    expect(work.selfMicros).toBe(10);
    expect(work.callees.get("parse")?.selfMicros).toBe(60);
    expect([...framesOf(profile).callees.keys()]).toEqual(["work", "read node:net"]);
  });

  it("tells the functions that took most by themselves", () => {
    expect(hottest(framesOf(profile), 2)).toEqual([
      { name: "parse", share: 0.6 },
      { name: "a<b>", share: 0.2 },
    ]);
  });

  it("is as wide for each call as that took time", () => {
    const svg = flameSvg(framesOf(profile));
    expect(svg).toContain("<title>all: 100.0 %</title>");
    expect(svg).toContain("<title>work: 90.0 %</title>");
    expect(svg).toContain("<title>parse: 60.0 %</title>");
    expect(svg).toContain("<title>a&lt;b&gt;: 20.0 %</title>");
    expect(svg).not.toContain("idle");
  });
});
