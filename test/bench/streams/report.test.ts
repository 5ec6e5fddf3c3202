import { describe, expect, it } from "vitest";
import { chartOf } from "../../../bench/streams/chart.ts";
import type { Figures } from "../../../bench/streams/figures.ts";
import { type CaseReport, judge, type Line, markdownOf, type Report } from "../../../bench/streams/report.ts";
import { windowCases } from "../../../bench/streams/windows.ts";

const machine = {
  cores: 2,
  model: "some processor",
  memoryGib: 24,
  kernel: "6.1",
  node: "v24",
  java: "17",
  commit: "abc",
  loadBefore: 0.1,
};

const figures = (perCpuS: number, peakRssMib = 100): Figures => ({
  events: 1_000,
  eventsPerS: 500,
  coldPerCpuS: perCpuS / 2,
  warmPerCpuS: perCpuS * 2,
  perCpuS,
  peakRssMib,
});

const line = (engine: string, perCpuS: number, differingRows: number | null, peakRssMib?: number): Line => {
  const measured = figures(perCpuS, peakRssMib);
  return { engine, figures: measured, runs: [measured], differingRows };
};

const caseOf = (name: string, lines: readonly Line[]): CaseReport => ({ name, title: `the ${name}`, lines });

const report = (...cases: readonly CaseReport[]): Report => ({
  machine,
  events: 1_000,
  coldEvents: 300,
  rounds: 1,
  cases,
});

const tumbling = caseOf("bench-tumbling", [
  line("Spillway", 300, 0),
  line("Kafka Streams 4.1 (slow)", 100, 0),
  line("Kafka Streams 4.1 (fast)", 150, 0),
  line("kafkajs, reading only", 600, null),
]);

describe("the report", () => {
  it("has a target for every case, and each is of a case that is measured", () => {
    const all = windowCases.map(({ name }) => caseOf(name, []));
    const titles = judge(report(...all)).map(({ title }) => title);
    expect(new Set(titles)).toEqual(new Set(all.map(({ title }) => title)));
  });

  it("judges by the best of the peer's variants", () => {
    expect(judge(report(tumbling)).map(({ measured }) => measured)).toEqual([2, 2, 0.5]);
  });

  it("judges memory by what a million keys take beyond ten thousand", () => {
    const many = caseOf("bench-many-keys", [
      line("Spillway", 300, 0, 300),
      line("Kafka Streams 4.1", 150, 0, 900),
    ]);
    expect(judge(report(tumbling, many)).at(-1)?.measured).toBe(4);
  });

  it("judges nothing by what was not measured", () => {
    const alone = caseOf("bench-tumbling", [line("Spillway", 300, 0)]);
    expect(judge(report(alone)).map(({ measured }) => measured)).toEqual([null, null, null]);
    expect(markdownOf(report(alone))).toContain("not measured");
  });

  it("is a table for each case and one of the targets", () => {
    const markdown = markdownOf(report(tumbling));
    expect(markdown).toContain("**the bench-tumbling**");
    expect(markdown).toContain(
      "| Kafka Streams 4.1 (slow) | 1,000 | 500 | 100 | 50 | 200 | 100 | 3.00 | right |",
    );
    expect(markdown).toContain(
      "| kafkajs, reading only | 1,000 | 500 | 600 | 300 | 1,200 | 100 | 0.50 | – |",
    );
    expect(markdown).toContain("| the bench-tumbling | cold | Kafka Streams | ≥ 2 | 2.00 | yes |");
    expect(markdown).toContain(
      "| the bench-tumbling | whole run | kafkajs, reading only | ≥ 0.6 | 0.50 | no |",
    );
  });

  it("says of how many rows an engine is wrong", () => {
    const wrong = caseOf("bench-tumbling", [line("Spillway", 300, 1_234)]);
    expect(markdownOf(report(wrong))).toContain("| 1,234 rows wrong |");
  });

  it("is a picture with a bar for each line, the longest being the fastest", () => {
    const svg = chartOf([tumbling]);
    const widths = [...svg.matchAll(/<rect x="330" y="\d+" width="(\d+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).toHaveLength(4);
    expect(widths[3]).toBe(Math.max(...widths));
    expect(widths[0]).toBe(Math.round(widths[3]! / 2));
  });
});
