import { describe, expect, it } from "vitest";
import { type Figures, figuresOf, medianFigures } from "../../../bench/streams/figures.ts";

describe("the figures of a run", () => {
  it("are those of the whole, of the first events and of the rest", () => {
    const marks = [
      { events: 100, cpuS: 2, wallS: 3 },
      { events: 300, cpuS: 4, wallS: 5 },
      { events: 1_000, cpuS: 5, wallS: 8 },
    ];
    expect(figuresOf(marks, 300, 50)).toEqual({
      events: 1_000,
      eventsPerS: 125,
      coldPerCpuS: 75,
      warmPerCpuS: 700,
      perCpuS: 200,
      peakRssMib: 50,
    });
  });

  it("take processor time to grow evenly between two marks, the first from the start", () => {
    const marks = [
      { events: 200, cpuS: 4, wallS: 4 },
      { events: 400, cpuS: 6, wallS: 6 },
    ];
    expect(figuresOf(marks, 100, 0).coldPerCpuS).toBe(50);
    expect(figuresOf(marks, 300, 0)).toMatchObject({ coldPerCpuS: 60, warmPerCpuS: 100 });
  });

  it("tell cold and warm apart only where there are more events", () => {
    const figures = figuresOf([{ events: 100, cpuS: 2, wallS: 2 }], 100, 0);
    expect(figures).toMatchObject({ coldPerCpuS: null, warmPerCpuS: null, perCpuS: 50 });
  });

  it("are medians of several runs", () => {
    const run = (perCpuS: number, coldPerCpuS: number | null): Figures => ({
      events: 1,
      eventsPerS: 1,
      coldPerCpuS,
      warmPerCpuS: null,
      perCpuS,
      peakRssMib: 1,
    });
    expect(medianFigures([run(3, 9), run(1, null), run(2, 7)])).toEqual({
      ...run(2, 7),
      warmPerCpuS: null,
    });
  });
});
