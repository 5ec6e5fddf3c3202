import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flowPausing, maxPausedAgeMs } from "../../contracts/flow-control.ts";
import {
  decidePausing,
  FIRST_MEMORY,
  type PausingDecision,
  type PausingMemory,
  type PausingObservation,
} from "../../flow/pausing.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = 1_000 * HOUR_MS;
const MAX_AGE_MS = 10 * HOUR_MS;

const observation: PausingObservation = {
  nowMs: NOW_MS,
  source: "running",
  load: 0,
  waitingSinceMs: undefined,
  modifiedMs: NOW_MS - HOUR_MS,
  maxPausedAgeMs: MAX_AGE_MS,
  override: undefined,
};
const memory: PausingMemory = { ...FIRST_MEMORY, observedMs: NOW_MS - MINUTE_MS };
const paused = { source: "paused" } as const;
const hold = { override: "hold" } as const;
const drain = { override: "drain" } as const;

const decide = (
  seen: Partial<PausingObservation>,
  remembered: Partial<PausingMemory> = {},
): PausingDecision => decidePausing({ ...observation, ...seen }, { ...memory, ...remembered }, flowPausing);

describe("running", () => {
  test.each<[string, Partial<PausingObservation>, Partial<PausingMemory>]>([
    ["at a high load for the first time", { load: 9 }, {}],
    ["at just the level", { load: 1.5 }, { highRuns: 1 }],
    [
      "in the second high run, where a run between them is missing",
      { load: 9 },
      { highRuns: 1, observedMs: NOW_MS - 4 * MINUTE_MS },
    ],
    ["in a run that came twice", { load: 9 }, { highRuns: 1, observedMs: NOW_MS - 1_000 }],
    [
      "when it was resumed less than five minutes ago",
      { load: 9 },
      { highRuns: 9, resumedMs: NOW_MS - 4 * MINUTE_MS },
    ],
    ["without signals", { load: undefined }, { highRuns: 9 }],
    [
      "when a pause could only be short",
      { load: 9, waitingSinceMs: NOW_MS - MAX_AGE_MS / 2 },
      { highRuns: 9 },
    ],
    ["when it is ordered to drain", { load: 9, ...drain }, { highRuns: 9 }],
  ])("it goes on %s", (_, seen, remembered) => {
    expect(decide(seen, remembered).change).toBeUndefined();
  });

  test("it is paused in the second high run, and remembers since when records wait", () => {
    const { change } = decide({ load: 1.51, waitingSinceMs: NOW_MS - HOUR_MS }, { highRuns: 1 });

    expect(change).toMatchObject({ to: "paused", reason: "load-high" });
    expect(change?.memory).toEqual({
      highRuns: 0,
      lowRuns: 0,
      observedMs: NOW_MS,
      pausedMs: NOW_MS,
      oldestMs: NOW_MS - HOUR_MS,
    });
  });

  test("it is paused by an order at any load, just after it was resumed, and by a run that came twice", () => {
    const remembered = { resumedMs: NOW_MS, observedMs: NOW_MS };
    expect(decide({ ...hold, load: undefined }, remembered).change).toMatchObject({
      to: "paused",
      reason: "held",
    });
  });

  test("an order to hold ends where what waits is too old for it", () => {
    expect(decide({ ...hold, waitingSinceMs: NOW_MS - MAX_AGE_MS })).toMatchObject({ endsHold: true });
    expect(decide({ ...hold, waitingSinceMs: NOW_MS - MAX_AGE_MS }).change).toBeUndefined();
  });
});

describe("what waits", () => {
  const old = NOW_MS - 9 * HOUR_MS;
  const oldestMs = (seen: Partial<PausingObservation>, remembered: Partial<PausingMemory>) =>
    decide(seen, remembered).memory.oldestMs;

  test.each<[string, number | undefined, Partial<PausingObservation>, Partial<PausingMemory>]>([
    ["is what its stage says", NOW_MS - 5, { waitingSinceMs: NOW_MS - 5 }, { oldestMs: old }],
    ["is nothing where its stage has been silent", undefined, {}, { oldestMs: old }],
    [
      "is what waited before, until its stage can have spoken",
      old,
      {},
      { oldestMs: old, resumedMs: NOW_MS - 299_000 },
    ],
    [
      "is nothing where it has not spoken after five minutes",
      undefined,
      {},
      { oldestMs: old, resumedMs: NOW_MS - 300_000 },
    ],
    [
      "is what waited before, where somebody else has just resumed it",
      old,
      { modifiedMs: NOW_MS - 1_000 },
      { pausedMs: old, oldestMs: old },
    ],
    ["is no newer while it is paused", old, paused, { pausedMs: NOW_MS - HOUR_MS, oldestMs: old }],
    [
      "is what waited before, where somebody else has paused it",
      old,
      { ...paused, modifiedMs: NOW_MS - 1_000 },
      { resumedMs: NOW_MS - MINUTE_MS, oldestMs: old },
    ],
  ])("%s", (_, expected, seen, remembered) => {
    expect(oldestMs(seen, remembered)).toBe(expected);
  });
});

describe("paused", () => {
  const since = (oldestMs: number) => ({ pausedMs: NOW_MS - HOUR_MS, oldestMs });
  const recently = since(NOW_MS - HOUR_MS);

  test.each<[string, Partial<PausingObservation>, Partial<PausingMemory>]>([
    ["at a low load for the first time", { load: 0 }, recently],
    ["at just the level", { load: 0.7 }, { ...recently, lowRuns: 1 }],
    ["at a high load", { load: 9 }, recently],
    ["at no load, when it is ordered to hold", { ...hold }, { ...recently, lowRuns: 9 }],
    ["without signals, when it is ordered to hold", { ...hold, load: undefined }, recently],
  ])("it stays %s", (_, seen, remembered) => {
    expect(decide({ ...paused, ...seen }, remembered).change).toBeUndefined();
  });

  test.each<[string, string, Partial<PausingObservation>, Partial<PausingMemory>]>([
    ["in the second low run", "load-low", { load: 0.69 }, { ...recently, lowRuns: 1 }],
    ["without signals", "no-signals", { load: undefined }, recently],
    ["when it is ordered to drain", "ordered-to-run", { load: 9, ...drain }, recently],
    ["at half of what it may wait", "waited-too-long", { load: 9 }, since(NOW_MS - MAX_AGE_MS)],
    [
      "at half of what it may wait, though ordered to hold",
      "waited-too-long",
      { ...hold },
      since(NOW_MS - MAX_AGE_MS),
    ],
    [
      "by somebody, for half of what it may wait",
      "waited-too-long",
      { load: 9, modifiedMs: NOW_MS - MAX_AGE_MS },
      {},
    ],
  ])("it is resumed %s", (_, reason, seen, remembered) => {
    expect(decide({ ...paused, ...seen }, remembered).change).toMatchObject({
      to: "running",
      reason,
      memory: { resumedMs: NOW_MS },
    });
  });

  test("an order to hold that went too far does not come into force again", () => {
    expect(decide({ ...paused, ...hold }, since(NOW_MS - MAX_AGE_MS)).endsHold).toBe(true);
  });
});

/** A mapping, its stream and those who read it, in minutes; what happens in each is drawn. */
interface Minute {
  /** Undefined: nobody speaks. */
  readonly load: number | undefined;
  readonly override: "hold" | "drain" | undefined;
  /** How many minutes of the stream a minute of drain takes away. */
  readonly drainRate: number;
  readonly runFails: boolean;
  readonly updateRefused: boolean;
}

const minute = fc.record<Minute>({
  load: fc.oneof(fc.constant(undefined), fc.double({ min: 0, max: 3, noNaN: true })),
  override: fc.constantFrom<Minute["override"][]>(undefined, undefined, undefined, "hold", "drain"),
  drainRate: fc.double({ min: 0.5, max: 20, noNaN: true }),
  runFails: fc.boolean(),
  updateRefused: fc.boolean(),
});
/** What holds for a while, as loads and orders do. */
const stretch = fc.tuple(minute, fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 60, max: 400 })));
const history = fc
  .array(stretch, { minLength: 1, maxLength: 12 })
  .map((stretches) => stretches.flatMap(([one, times]) => Array.from({ length: times }, () => one)));

interface Moment {
  readonly atMs: number;
  readonly minute: Minute;
  readonly source: "running" | "paused";
  readonly oldestMs: number;
  readonly change: PausingDecision["change"];
}

const MAX_AGE_HOURS = 4;

function simulate(minutes: readonly Minute[]): Moment[] {
  let source: "running" | "paused" = "running";
  let changing: "running" | "paused" | undefined;
  let memory = FIRST_MEMORY;
  let oldestMs = 0;
  /** What the stage said last, of which the next run hears. It is called, and speaks, from the third minute on. */
  let said: { readonly atMs: number; readonly oldestMs: number } | undefined;
  let minutesRunning = 0;
  let holdEnded = false;
  let failedBefore = false;
  return minutes.map((minute, index) => {
    const atMs = index * MINUTE_MS;
    // A change of the last minute is seen as one that is under way, and has its effect in the next.
    const settling = changing !== undefined;
    if (changing !== undefined) source = changing;
    changing = undefined;
    if (source === "running") oldestMs = Math.min(atMs, oldestMs + minute.drainRate * MINUTE_MS);
    const before = { atMs, minute, source, oldestMs };
    const waitingSinceMs = said && atMs - said.atMs <= 5 * MINUTE_MS ? said.oldestMs : undefined;
    minutesRunning = source === "running" ? minutesRunning + 1 : 0;
    if (minutesRunning >= 3 && oldestMs < atMs) said = { atMs, oldestMs };
    // At most every second run fails or is refused, as maxPausedAgeMs supposes.
    const fails = (minute.runFails || minute.updateRefused) && !failedBefore;
    failedBefore = fails;
    if (minute.override !== "hold") holdEnded = false;
    if (settling || (fails && minute.runFails)) return { ...before, change: undefined };
    const decision = decidePausing(
      {
        nowMs: atMs,
        source,
        load: minute.load,
        waitingSinceMs,
        modifiedMs: 0,
        maxPausedAgeMs: maxPausedAgeMs({ maxAgeHours: MAX_AGE_HOURS }),
        // An order that was ended is gone until a person gives it anew.
        override: holdEnded ? undefined : minute.override,
      },
      memory,
      flowPausing,
    );
    if (decision.endsHold) holdEnded = true;
    const change = fails ? undefined : decision.change;
    memory = change?.memory ?? decision.memory;
    changing = change?.to;
    return { ...before, change };
  });
}

describe("whatever happens", () => {
  test("nothing waits behind a pause for longer than half of what it may", () => {
    fc.assert(
      fc.property(history, (minutes) => {
        const ages = simulate(minutes).flatMap(({ source, atMs, oldestMs }) =>
          source === "paused" ? atMs - oldestMs : [],
        );
        expect(Math.max(0, ...ages)).toBeLessThan((MAX_AGE_HOURS * HOUR_MS) / 2);
      }),
      { numRuns: 500 },
    );
  });

  test("loads do not pause it within five minutes of its being resumed", () => {
    fc.assert(
      fc.property(history, (minutes) => {
        const changes = simulate(minutes).filter(({ change }) => change !== undefined);
        for (const [index, { change, atMs }] of changes.entries()) {
          if (index === 0 || change?.reason !== "load-high") continue;
          expect(atMs - changes[index - 1]!.atMs).toBeGreaterThanOrEqual(5 * MINUTE_MS);
        }
      }),
    );
  });

  test("once nobody says anything it runs after three minutes, and goes on", () => {
    const silence: Minute = {
      load: undefined,
      override: undefined,
      drainRate: 1,
      runFails: false,
      updateRefused: false,
    };
    fc.assert(
      fc.property(history, (minutes) => {
        const moments = simulate([...minutes, ...Array.from({ length: 20 }, () => silence)]);
        const after = moments.slice(minutes.length + 3);
        expect(after.every(({ source }) => source === "running")).toBe(true);
      }),
    );
  });

  test("the simulation does pause, resume, hold for too long and lose signals", () => {
    const seen = new Set<string | undefined>();
    fc.assert(
      fc.property(history, (minutes) => {
        for (const { change } of simulate(minutes)) seen.add(change?.reason);
      }),
      { numRuns: 200, seed: 1 },
    );
    const all = ["load-high", "load-low", "no-signals", "held", "ordered-to-run", "waited-too-long"];
    expect([...seen]).toEqual(expect.arrayContaining(all));
  });
});
