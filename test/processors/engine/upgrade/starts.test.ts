/** Where a pipeline begins that has no state yet. */
import { array, asyncProperty, assert as check, constantFrom, integer, nat, record } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hopping,
  PipelineError,
  pipeline,
  type StartAt,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { startingState } from "../../../../processors/engine/worker/genesis.ts";
import type { TestRecord } from "../../../support/records.ts";
import { recordsOf, watermark } from "../task-fixture.ts";
import {
  checkpointerOf,
  FUTURE_BOUND_MS,
  feedRest,
  MemoryStore,
  resultsFrom,
  taskFrom,
  version,
} from "./versions.ts";

/** The state that a task of this version begins with on a log of these records. */
function begin(startAt: StartAt, records: readonly TestRecord[], low = 0, options = {}) {
  const definition = version({ name: "v2", startAt, ...options });
  const high = (records.at(-1)?.offset ?? low - 1) + 1;
  const log = {
    bounds: async () => ({ low, high }),
    offsetAt: async (_: unknown, arrivalMs: number) =>
      records.find((candidate) => candidate.arrivalMs! >= arrivalMs)?.offset ?? high,
  };
  const store = new MemoryStore();
  const checkpointer = checkpointerOf(store, definition);
  return startingState({ log, store, checkpointer, environment: "dev", definition, partition: 0 });
}

/** Records that arrive at these times, from offset 3. */
const arriving = (...arrivals: number[]): TestRecord[] =>
  recordsOf(arrivals.map((t) => ({ t, v: 1 }))).map((item, index) => ({
    ...item,
    offset: index + 3,
    arrivalMs: arrivals[index]!,
  }));

describe("a start", () => {
  test.each<[StartAt, number, number]>([
    ["earliest", 3, Number.NEGATIVE_INFINITY],
    ["latest", 6, Number.NEGATIVE_INFINITY],
    [{ offsets: { 0: 4 } }, 4, Number.NEGATIVE_INFINITY],
    [{ offsets: { 0: 6 } }, 6, Number.NEGATIVE_INFINITY],
    [{ eventTimeMs: 200 + FUTURE_BOUND_MS }, 4, 200 + FUTURE_BOUND_MS],
    [{ eventTimeMs: 1_000 }, 6, 1_000],
    [{ eventTimeMs: 0 }, 3, 0],
  ])("%j is offset %i, and events from %d", async (startAt, offset, fromMs) => {
    const { inputs } = await begin(startAt, arriving(100, 200, 300), 3);
    expect(inputs.map((input) => [input.offset, input.fromMs])).toEqual([[offset, fromMs]]);
  });

  test.each<[string, StartAt, string]>([
    ["an offset that the log does not reach", { offsets: { 0: 7 } }, "offset-outside-log"],
    ["an offset that the log has forgotten", { offsets: { 0: 2 } }, "offset-outside-log"],
    ["no offset for the partition", { offsets: { 1: 4 } }, "start-unavailable"],
    ["a savepoint that there is not", { savepoint: "none", of: "v1" }, "start-unavailable"],
  ])("with %s parks the task", async (_, startAt, code) => {
    await expect(begin(startAt, arriving(100, 200, 300), 3)).rejects.toMatchObject({ code });
  });

  test.each<[string, StartAt, RegExp]>([
    ["a fraction", { eventTimeMs: 0.5 }, /eventTimeMs is 0.5/],
    ["a negative offset", { offsets: { 0: -1 } }, /next offset to read/],
    ["no offsets", { offsets: {} }, /next offset to read/],
    ["a partition that is none", { offsets: { [-1]: 3 } }, /next offset to read/],
    ["a savepoint's name that is none", { savepoint: "A/b", of: "v1" }, /lower-case/],
  ])("of %s is refused when the pipeline is made", (_, startAt, message) => {
    expect(() => pipeline("v2", { startAt })).toThrow(PipelineError);
    expect(() => pipeline("v2", { startAt })).toThrow(message);
  });
});

describe("a start at an event time", () => {
  test("leaves out the events of before, which count as ignored, also after a checkpoint", async () => {
    const state = await begin({ eventTimeMs: 100 }, []);
    const definition = version({ name: "v2" });
    const task = taskFrom(definition, state);
    feedRest(task, recordsOf([{ t: 99 }, { t: 100 }, { t: 98 }]));
    const cut = task.cut();
    expect(cut.counters).toMatchObject({ ignored: 2, counted: 1 });

    const { load, write } = boundTo(definition);
    await write("c1", cut);
    const restored = taskFrom(definition, await load("c1"));
    feedRest(restored, recordsOf([{ t: 0 }, { t: 0 }, { t: 0 }, { t: 99, id: "e3" }, { t: 101, id: "e4" }]));
    expect(restored.cut().counters).toMatchObject({ ignored: 3, counted: 2 });
  });

  const events = array(
    record({ key: constantFrom("a", "b"), early: integer({ min: -40, max: FUTURE_BOUND_MS }), v: nat(9) }),
    { minLength: 1, maxLength: 60 },
  );
  test.each([
    ["tumbling", tumbling({ sizeMs: 10 })],
    ["hopping", hopping({ sizeMs: 20, advanceMs: 10 })],
  ])("gives the same %s windows as a run of the whole log, from its time on", async (_, window) => {
    const run = asyncProperty(
      events,
      nat(12),
      nat(30),
      nat(9),
      async (items, fromWindow, outOfOrderMs, pace) => {
        const log = logOf(items, pace);
        const fromMs = fromWindow * 10;
        const options = { window, outOfOrderMs };
        const first = version({ name: "v1", ...options });
        const whole = taskFrom(first, emptyState(first, [0]));
        feedRest(whole, log);
        const state = await begin({ eventTimeMs: fromMs }, log, 0, options);
        const later = taskFrom(version({ name: "v2", ...options }), state);
        feedRest(later, log);
        expect(resultsFrom(later.cut(), fromMs)).toEqual(resultsFrom(whole.cut(), fromMs));
      },
    );
    await check(run, { numRuns: 300 });
  });
});

/** Events in the order of their arrival, `pace` ms apart, each so early before its time; then the windows close. */
function logOf(items: readonly { key: string; early: number; v: number }[], pace: number): TestRecord[] {
  const records = recordsOf(items.map(({ key, early, v }, i) => ({ key, t: i * pace + early, v })));
  const log = records.map((item, i) => ({ ...item, arrivalMs: i * pace }));
  return [...log, { ...watermark(log.length, 10_000), arrivalMs: log.length * pace }];
}

function boundTo(definition: ReturnType<typeof version>) {
  const checkpointer = checkpointerOf(new MemoryStore(), definition);
  return {
    write: (name: string, cut: Parameters<typeof checkpointer.write>[1]) =>
      checkpointer.write(name, cut, 1, null),
    load: async (name: string) => (await checkpointer.load(name, null)).state,
  };
}
