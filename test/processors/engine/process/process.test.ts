import { describe, expect, test } from "vitest";
import { type EventContext, keyedState } from "../../../../processors/engine/pipeline/dsl.ts";
import { run } from "../scripted-run.ts";
import { arrivalsOf, type Happening, numbers, processing } from "./process-fixture.ts";

const k = (t: number, v = 0): Happening => ({ key: "k", t, v });

describe("state", () => {
  test("is kept for each key", () => {
    const counting = processing({
      state: numbers(),
      onEvent: (_, { state, emit }) => {
        const n = (state.get() ?? 0) + 1;
        state.set(n);
        emit({ n });
      },
    });

    const { results } = run(counting, arrivalsOf([k(1), { key: "other", t: 2 }, k(3)]));

    expect(results.map(({ key, value }) => [key, value])).toEqual([
      ["k", { n: 1 }],
      ["other", { n: 1 }],
      ["k", { n: 2 }],
    ]);
  });

  test("that was cleared is gone", () => {
    const cleared = processing({
      state: numbers(),
      onEvent: ({ v }, { state, emit }) => {
        if (v === 0) state.clear();
        else state.set(v!);
        emit({ state: state.get() ?? null });
      },
    });

    const { results } = run(cleared, arrivalsOf([k(1, 5), k(2, 0), k(3, 7)]));

    expect(results.map(({ value }) => value)).toEqual([{ state: 5 }, { state: null }, { state: 7 }]);
  });

  test("cannot be changed in place, and what is changed after it was set stays out", () => {
    const list = processing({
      state: keyedState<{ seen: number[] }>(),
      onEvent: ({ v }, { state, emit }) => {
        const before = state.get();
        if (v === 1) (before as { seen: number[] }).seen.push(0);
        const next = { seen: [...(before?.seen ?? []), v!] };
        state.set(next);
        next.seen.push(99);
        emit({ seen: state.get()!.seen });
      },
    });

    const { results, counters } = run(list, arrivalsOf([k(1, 2), k(2, 1), k(3, 3)]));

    expect(results.map(({ value }) => value)).toEqual([{ seen: [2] }, { seen: [2, 3] }]);
    expect(counters.dead).toBe(1);
  });

  test.each([
    ["NaN", Number.NaN, "not finite"],
    ["a date", new Date(0), "a class"],
    ["a map", new Map(), "a class"],
    ["undefined", undefined, "undefined"],
    ["a bigint", 1n, "bigint"],
  ])("%s needs a codec", (_, value, message) => {
    const bad = processing({
      state: keyedState<{ value: number }>(),
      onEvent: (_event, { state }) => state.set(value as unknown as { value: number }),
    });

    const { dead } = run(bad, arrivalsOf([k(1)]));

    expect(dead[0]!.headers["spillway-detail"]).toContain(message);
  });

  test("with a codec is of any class, and nobody shares it", () => {
    const codec = {
      kind: "set-of-numbers",
      encode: (set: Set<number>) => Uint8Array.from(set),
      decode: (bytes: Uint8Array) => new Set(bytes),
    };
    const distinct = processing({
      state: keyedState({ codec }),
      onEvent: ({ v }, { state, emit }) => {
        state.get()?.add(77);
        state.set(new Set([...(state.get() ?? []), v!]));
        emit({ distinct: state.get()!.size });
      },
    });

    const { results } = run(distinct, arrivalsOf([k(1, 3), k(2, 3), k(3, 4)]), [3, 7, 21]);

    expect(results.map(({ value }) => value)).toEqual([{ distinct: 1 }, { distinct: 1 }, { distinct: 2 }]);
  });
});

describe("time to live", () => {
  const living = processing(
    {
      state: numbers(100),
      onEvent: ({ v }, { state, timers, emit }) => {
        emit({ was: state.get() ?? null });
        if (v !== 0) state.set(v!);
        if (v === 9) timers.set(150);
      },
      onTimer: (timeMs, { state, emit }) => emit({ timeMs, was: state.get() ?? null }),
    },
    1_000,
  );

  test.each([
    ["is there until the watermark reaches its end", [k(10, 1), 109, k(11, 0)], [null, 1]],
    ["is gone at its end", [k(10, 1), 110, k(11, 0)], [null, null]],
    ["begins anew when it is set again", [k(10, 1), k(60, 2), 110, k(11, 0)], [null, 1, 2]],
    ["is not shortened by an older event", [k(60, 1), k(10, 2), 110, k(11, 0)], [null, 1, 2]],
  ])("state %s", (_, happenings, expected) => {
    const { results } = run(living, arrivalsOf(happenings));

    expect(results.map(({ value }) => (value as { was: number | null }).was)).toEqual(expected);
  });

  test.each([
    ["before its end sees it", 60, 9],
    ["at its end does not", 50, null],
  ])("a timer %s, however far the watermark jumps", (_, t, was) => {
    const { results } = run(living, arrivalsOf([k(t, 9), 10_000]));

    expect(results.at(-1)!.value).toEqual({ timeMs: 150, was });
  });
});

describe("timers", () => {
  const ringing = (onEvent: (happening: Happening, context: EventContext<number>) => undefined) =>
    processing({
      state: numbers(),
      onEvent,
      onTimer: (timeMs, { key, watermarkMs, emit }) => emit({ rang: `${key} ${timeMs} at ${watermarkMs}` }),
    });
  const rangs = (results: readonly { readonly value: unknown }[]) =>
    results.map(({ value }) => (value as { rang: string }).rang);

  test("fire in order of time, then key, once for each", () => {
    const definition = ringing((_, { timers }) => {
      timers.set(50);
      timers.set(40);
      timers.set(50);
      timers.set(45.2);
      return timers.set(60);
    });

    const { results } = run(definition, arrivalsOf([{ key: "b", t: 1 }, { key: "a", t: 2 }, 59]));

    expect(rangs(results)).toEqual([
      "a 40 at 59",
      "b 40 at 59",
      "a 46 at 59",
      "b 46 at 59",
      "a 50 at 59",
      "b 50 at 59",
    ]);
  });

  test("that were deleted do not fire, unless they are set again", () => {
    const definition = ringing(({ v }, { timers }) => {
      timers.set(10);
      timers.delete(10);
      timers.set(20);
      timers.delete(99);
      if (v === 1) timers.set(10);
    });

    expect(rangs(run(definition, arrivalsOf([k(1, 0), 30])).results)).toEqual(["k 20 at 30"]);
    expect(rangs(run(definition, arrivalsOf([k(1, 1), 30])).results)).toEqual(["k 10 at 30", "k 20 at 30"]);
  });

  test("set at or behind the watermark fire at once", () => {
    const definition = ringing((_, { timers }) => {
      timers.set(5);
      timers.set(100);
    });

    expect(rangs(run(definition, arrivalsOf([100, k(7)])).results)).toEqual(["k 5 at 100", "k 100 at 100"]);
  });

  test("set by a timer fire in the same firing, in order with the others", () => {
    const definition = processing({
      onEvent: (_, { timers }) => {
        timers.set(10);
        timers.set(30);
      },
      onTimer: (timeMs, { timers, emit }) => {
        if (timeMs === 10) timers.set(20);
        emit({ timeMs });
      },
    });

    const { results } = run(definition, arrivalsOf([k(1), 30]));

    expect(results.map(({ value }) => value)).toEqual([{ timeMs: 10 }, { timeMs: 20 }, { timeMs: 30 }]);
  });

  test("cannot keep a partition busy for ever by setting themselves again", () => {
    const definition = processing({
      onEvent: (_, { timers }) => timers.set(10),
      onTimer: (timeMs, { timers }) => timers.set(timeMs),
    });

    const { dead } = run(definition, arrivalsOf([k(1), 30]));

    expect(dead[0]!.headers["spillway-detail"]).toContain("must be later");
  });

  test("need a function that they call", () => {
    const definition = processing({ onEvent: (_, { timers }) => timers.set(10) });

    expect(run(definition, arrivalsOf([k(1), 30])).counters.dead).toBe(1);
  });

  test("deleted by the million take no room", () => {
    const definition = processing({
      onEvent: ({ t }, { timers }) => {
        timers.delete(t - 1 + 1_000_000);
        timers.set(t + 1_000_000);
      },
      onTimer: (timeMs, { emit }) => emit({ timeMs }),
    });
    const happenings = Array.from({ length: 5_000 }, (_, t) => k(t));

    const { results } = run(definition, arrivalsOf([...happenings, 2_000_000]));

    expect(results.map(({ value }) => value)).toEqual([{ timeMs: 1_004_999 }]);
  });
});

describe("results", () => {
  test("are rows of their own, unless a window is named", () => {
    const definition = processing({
      onEvent: ({ v }, { timeMs, timers, emit }) => {
        emit({ v });
        emit({ v });
        emit({ v }, { start: 0, end: 1_000 });
        timers.set(timeMs + 5);
      },
      onTimer: (timeMs, { emit }) => emit({ timeMs }),
    });

    const { results } = run(definition, arrivalsOf([k(3, 1), 20]));

    expect(results).toEqual([
      { key: "k", window: { start: 3, end: 4 }, value: { v: 1 }, revision: 1, pane: 1 },
      { key: "k", window: { start: 3, end: 4 }, value: { v: 1 }, revision: 2, pane: 2 },
      { key: "k", window: { start: 0, end: 1_000 }, value: { v: 1 }, revision: 3 },
      { key: "k", window: { start: 8, end: 9 }, value: { timeMs: 8 }, revision: 4, pane: 4 },
    ]);
  });

  test.each([
    ["a list", () => [1], undefined, "must be an object"],
    ["a number that is not one", () => ({ n: Number.NaN }), undefined, "not finite"],
    ["larger than the results table takes", () => ({ text: "x".repeat(400_000) }), undefined, "the limit is"],
    ["a window without length", () => ({}), { start: 5, end: 5 }, "its end after its start"],
    ["at no date", () => ({}), { start: 0, end: 9e15 }, "whole milliseconds"],
    ["a window of fractions", () => ({}), { start: 0.5, end: 1 }, "whole milliseconds"],
  ])("cannot be %s", (_, make, window, message) => {
    const definition = processing({ onEvent: (_event, { emit }) => emit(make(), window) });

    const { dead, results } = run(definition, arrivalsOf([k(1)]));

    expect(results).toEqual([]);
    expect(dead[0]!.headers["spillway-detail"]).toContain(message);
  });
});

describe("code that throws", () => {
  test("half-way through a record's elements leaves nothing of any of them", () => {
    const definition = processing({
      state: numbers(),
      onEvent: ({ v }, { state, timers, emit }) => {
        state.set((state.get() ?? 0) + v!);
        timers.set(50 + v!);
        emit({ sum: state.get() });
        if (v === 13) throw new Error("thirteen");
      },
      onTimer: (timeMs, { emit }) => emit({ timeMs }),
    });

    const { results, dead, counters } = run(
      definition,
      arrivalsOf([{ key: "k", t: 1, parts: [1, 2] }, { key: "k", t: 2, parts: [3, 13] }, k(3, 4), 100]),
    );

    // The second element of a record sees what the first one set.
    expect(results.map(({ value }) => value)).toEqual([
      { sum: 1 },
      { sum: 3 },
      { sum: 7 },
      { timeMs: 51 },
      { timeMs: 52 },
      { timeMs: 54 },
    ]);
    expect(counters).toMatchObject({ counted: 2, dead: 1 });
    expect(dead[0]!.headers["spillway-detail"]).toContain("thirteen");
  });

  test("in a timer dead-letters key, time and state, drops that timer and stops nothing", () => {
    const definition = processing({
      state: numbers(),
      onEvent: ({ v }, { state, timers }) => {
        state.set(v!);
        timers.set(10);
        timers.set(20);
      },
      onTimer: (timeMs, { state, emit }) => {
        emit({ timeMs, was: state.get() });
        state.set(1_000);
        if (timeMs === 10) throw new Error("ten");
      },
    });

    const { results, dead } = run(definition, arrivalsOf([k(1, 7), 100]));

    expect(results.map(({ value }) => value)).toEqual([{ timeMs: 20, was: 7 }]);
    expect(dead).toHaveLength(1);
    expect(dead[0]!.headers).toMatchObject({ "spillway-content": "pane" });
    const pane = JSON.parse(dead[0]!.value) as { key: string; window: unknown; state: string };
    expect(pane).toMatchObject({ key: "k", window: { start: 10, end: 11 } });
    expect(Buffer.from(pane.state, "base64").toString().slice(1)).toBe("7");
  });

  test("must be done when it returns", () => {
    const definition = processing({
      // @ts-expect-error a function that returns a promise
      onEvent: async () => undefined,
    });

    expect(run(definition, arrivalsOf([k(1)])).dead[0]!.headers["spillway-detail"]).toContain("promise");
  });

  test("or that keeps its context is told so", () => {
    let kept: EventContext<never> | undefined;
    const definition = processing({
      onEvent: (_, context) => {
        if (kept !== undefined) kept.emit({});
        kept = context;
      },
    });
    run(definition, arrivalsOf([k(1)]));

    expect(() => kept!.emit({})).toThrow("after the call");
  });
});

test("an event behind the watermark is not late: the function can tell", () => {
  const definition = processing({
    onEvent: (_, { timeMs, watermarkMs, emit }) => emit({ behindMs: Math.max(0, watermarkMs - timeMs) }),
  });

  const { results, late } = run(definition, arrivalsOf([k(1_000), k(1)]));

  expect(results.map(({ value }) => value)).toEqual([{ behindMs: 0 }, { behindMs: 999 }]);
  expect(late).toEqual([]);
});
