import { describe, expect, it } from "vitest";
import { type CpuProfile, flameSvg, framesOf, hottest, modulesOf } from "../../../bench/streams/flame.ts";

const BUNDLE = `import{createRequire}from"node:module";
// node_modules/kafkajs/src/decoder.js
var decode;
// processors/engine/task/task.ts
var apply;
`;
const moduleAt = modulesOf(BUNDLE);

const node = (
  id: number,
  functionName: string,
  children: readonly number[] = [],
  url = "file:///main.mjs",
  lineNumber = 4,
) => ({ id, callFrame: { functionName, url, lineNumber }, children });

/** work (10 µs) calls parse (60) and a<b> (20), twice from different places; 10 idle. */
const profile: CpuProfile = {
  nodes: [
    node(1, "(root)", [2, 6, 7]),
    node(2, "work", [3, 4, 5]),
    node(3, "parse", [], "file:///main.mjs", 2),
    node(4, "a<b>"),
    node(5, "parse", [], "file:///main.mjs", 2),
    node(6, "(idle)"),
    node(7, "read", [], "node:net"),
  ],
  samples: [2, 3, 4, 5, 6, 7],
  timeDeltas: [10, 40, 20, 20, 10, 10],
};

describe("a flame graph", () => {
  it("puts calls of the same name from the same caller together, and leaves idle time out", () => {
    const work = framesOf(profile, moduleAt).callees.get("work processors/engine/task/task.ts")!;
    expect(work.selfMicros).toBe(10);
    expect(work.callees.get("parse kafkajs/src/decoder.js")?.selfMicros).toBe(60);
    expect([...framesOf(profile, moduleAt).callees.keys()]).toEqual([
      "work processors/engine/task/task.ts",
      "read node:net",
    ]);
  });

  it("knows each line's source", () => {
    expect([0, 1, 2, 3, 9].map(moduleAt)).toEqual([
      undefined,
      "node_modules/kafkajs/src/decoder.js",
      "node_modules/kafkajs/src/decoder.js",
      "processors/engine/task/task.ts",
      "processors/engine/task/task.ts",
    ]);
  });

  it("tells the functions that took most by themselves", () => {
    expect(hottest(framesOf(profile, moduleAt), "name", 2)).toEqual([
      { name: "parse kafkajs/src/decoder.js", share: 0.6 },
      { name: "a<b> processors/engine/task/task.ts", share: 0.2 },
    ]);
    expect(hottest(framesOf(profile, moduleAt), "part", 3)).toEqual([
      { name: "kafkajs", share: 0.6 },
      { name: "processors/engine", share: expect.closeTo(0.3) },
      { name: "Node.js", share: 0.1 },
    ]);
  });

  it("is as wide for each call as that took time", () => {
    const svg = flameSvg(framesOf(profile, moduleAt));
    expect(svg).toContain("<title>all: 100.0 %</title>");
    expect(svg).toContain("<title>work processors/engine/task/task.ts: 90.0 %</title>");
    expect(svg).toContain("<title>parse kafkajs/src/decoder.js: 60.0 %</title>");
    expect(svg).toContain("<title>a&lt;b&gt; processors/engine/task/task.ts: 20.0 %</title>");
    expect(svg).not.toContain("idle");
  });
});
