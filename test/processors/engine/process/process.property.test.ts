import fc from "fast-check";
import { expect, test } from "vitest";
import { keyedState } from "../../../../processors/engine/pipeline/dsl.ts";
import { run, scripts } from "../scripted-run.ts";
import { arrivalsOf, type Happening, processing } from "./process-fixture.ts";

/** An event's number says what its handler does; a timer does the same with what it finds in the state. */
const OUT_OF_ORDER_MS = 10;
const TTL_MS = 25;

interface Hands {
  readonly state: { get(): number | undefined; set(value: number): undefined; clear(): undefined };
  readonly timers: { set(timeMs: number): undefined; delete(timeMs: number): undefined };
  readonly emit: (value: object) => undefined;
}

function act(timeMs: number, v: number, { state, timers, emit }: Hands): undefined {
  const was = state.get();
  if (v % 2 === 0) state.set((was ?? 0) + v);
  if (v % 3 === 0) timers.set(timeMs + 1 + (v % 17));
  if (v % 5 === 0) timers.delete(timeMs + 1 + (v % 7));
  if (v % 7 === 0) state.clear();
  emit({ timeMs, v, was: was ?? null });
  if (v % 11 === 0) throw new Error("eleven");
  timers.set(timeMs + 1 + (v % 23));
}

const definition = processing(
  {
    state: keyedState<number>({ ttlMs: TTL_MS }),
    onEvent: ({ t, v }, hands) => act(t, v!, hands),
    onTimer: (timeMs, hands) => {
      const was = hands.state.get() ?? 1;
      if (was % 4 !== 3 && timeMs < 150) act(timeMs, was + (timeMs % 5), hands);
      else hands.emit({ rest: timeMs });
    },
  },
  OUT_OF_ORDER_MS,
);

type Row = readonly [key: string, t: number, value: unknown];

/** The same by the rules alone: no queue, no overlay; everything is looked for, and undone from a copy. */
class Slow {
  rows: Row[] = [];
  dead = 0;
  #states: { key: string; value: number; setMs: number }[] = [];
  #timers: { key: string; t: number }[] = [];
  #watermarkMs = Number.NEGATIVE_INFINITY;

  event(happening: Happening): void {
    const elements = happening.parts ?? [happening.v!];
    const lived = this.#attempt(() => {
      for (const v of elements)
        act(happening.t, v, this.#hands(happening.key, happening.t, this.#watermarkMs));
    });
    // A dead record's time says nothing.
    if (lived) this.watermark(happening.t - OUT_OF_ORDER_MS);
  }

  watermark(ms: number): void {
    this.#watermarkMs = Math.max(this.#watermarkMs, ms);
    for (let due = this.#due(); due !== undefined; due = this.#due()) {
      const { key, t } = due;
      this.#expire(t);
      this.#timers = this.#timers.filter((timer) => timer.key !== key || timer.t !== t);
      this.#attempt(() => this.#timer(key, t));
    }
    // What has expired stays so, even for a timer that is set behind the watermark afterwards.
    this.#expire(this.#watermarkMs);
  }

  #expire(nowMs: number): void {
    this.#states = this.#states.filter(({ setMs }) => setMs + TTL_MS > nowMs);
  }

  #timer(key: string, t: number): void {
    const hands = this.#hands(key, t, t);
    const was = hands.state.get() ?? 1;
    if (was % 4 !== 3 && t < 150) act(t, was + (t % 5), hands);
    else hands.emit({ rest: t });
  }

  #due(): { key: string; t: number } | undefined {
    const due = this.#timers.filter(({ t }) => t <= this.#watermarkMs);
    return due.sort((a, b) => a.t - b.t || (a.key < b.key ? -1 : 1))[0];
  }

  #attempt(code: () => void): boolean {
    const before = [this.#states, this.#timers, this.rows] as const;
    try {
      code();
      return true;
    } catch {
      [this.#states, this.#timers, this.rows] = before;
      this.dead += 1;
      return false;
    }
  }

  #hands(key: string, t: number, nowMs: number): Hands {
    const others = () => this.#states.filter((state) => state.key !== key);
    const live = () => this.#states.find((state) => state.key === key && state.setMs + TTL_MS > nowMs);
    const otherTimers = (at: number) => this.#timers.filter((timer) => timer.key !== key || timer.t !== at);
    return {
      state: {
        get: () => live()?.value,
        set: (value) => {
          const setMs = Math.max(t, live()?.setMs ?? t);
          this.#states = [...others(), { key, value, setMs }];
          return undefined;
        },
        clear: () => {
          this.#states = others();
          return undefined;
        },
      },
      timers: {
        set: (at) => {
          this.#timers = [...otherTimers(at), { key, t: at }];
          return undefined;
        },
        delete: (at) => {
          this.#timers = otherTimers(at);
          return undefined;
        },
      },
      emit: (value) => {
        this.rows = [...this.rows, [key, t, value]];
        return undefined;
      },
    };
  }
}

const number = fc.integer({ min: 1, max: 200 });
const happening = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  t: fc.integer({ min: 0, max: 120 }),
  parts: fc.array(number, { minLength: 1, maxLength: 3 }),
});

test("results and dead letters are those of the rules, however it is cut, batched and restarted", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), scripts, (happenings, script) => {
      const slow = new Slow();
      for (const each of happenings) slow.event(each);
      slow.watermark(1_000);
      const arrivals = arrivalsOf([...happenings, 1_000]);

      const whole = run(definition, arrivals);
      const cut = run(definition, arrivals, script);

      const expected = slow.rows.map(([key, t, value]) => ({ key, window: { start: t, end: t + 1 }, value }));
      expect(whole.results.map(({ key, window, value }) => ({ key, window, value }))).toEqual(expected);
      expect(whole.results.map(({ pane }) => pane)).toEqual(expected.map((_, index) => index + 1));
      expect(whole.dead).toHaveLength(slow.dead);
      expect(cut).toEqual(whole);
    }),
    { numRuns: 150 },
  );
});
