/** From marks along a run to its figures. */

/** What a process had done and used at a moment: events taken, processor time of all its threads, time since it started. */
export interface Mark {
  readonly events: number;
  readonly cpuS: number;
  readonly wallS: number;
}

export interface Figures {
  readonly events: number;
  /** From the start of the process on, until everything was committed. */
  readonly eventsPerS: number;
  /** Over the first events, the start of the process included; null where the run was too short to tell. */
  readonly coldPerCpuS: number | null;
  /** Over the rest. */
  readonly warmPerCpuS: number | null;
  readonly perCpuS: number;
  readonly peakRssMib: number;
}

/**
 * @param marks in their order, the last being the end
 * @param coldEvents how many events from the start count as cold
 */
export function figuresOf(marks: readonly Mark[], coldEvents: number, peakRssMib: number): Figures {
  const end = marks.at(-1)!;
  const coldCpuS = end.events > coldEvents ? cpuAt(marks, coldEvents) : null;
  return {
    events: end.events,
    eventsPerS: end.events / end.wallS,
    coldPerCpuS: coldCpuS === null ? null : coldEvents / coldCpuS,
    warmPerCpuS: coldCpuS === null ? null : (end.events - coldEvents) / (end.cpuS - coldCpuS),
    perCpuS: end.events / end.cpuS,
    peakRssMib,
  };
}

/** Between two marks processor time is taken to have grown evenly with the events. */
function cpuAt(marks: readonly Mark[], events: number): number {
  const after = marks.findIndex((mark) => mark.events >= events);
  const [from, to] = [marks[after - 1] ?? { events: 0, cpuS: 0 }, marks[after]!];
  return from.cpuS + ((to.cpuS - from.cpuS) * (events - from.events)) / (to.events - from.events);
}

/** Of each figure the median of several runs; null where no run could tell it. */
export function medianFigures(runs: readonly Figures[]): Figures {
  const of = (figure: (run: Figures) => number | null): number | null =>
    median(runs.map(figure).filter((value) => value !== null));
  return {
    events: of(({ events }) => events)!,
    eventsPerS: of(({ eventsPerS }) => eventsPerS)!,
    coldPerCpuS: of(({ coldPerCpuS }) => coldPerCpuS),
    warmPerCpuS: of(({ warmPerCpuS }) => warmPerCpuS),
    perCpuS: of(({ perCpuS }) => perCpuS)!,
    peakRssMib: of(({ peakRssMib }) => peakRssMib)!,
  };
}

/** The lower one of the two in the middle; null of nothing. */
const median = (values: readonly number[]): number | null =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
