import { describe, expect, test } from "vitest";
import { GlobalWindowsState } from "../../../../processors/engine/operators/windows/global-windows-state.ts";
import { SessionWindowsState } from "../../../../processors/engine/operators/windows/session-windows-state.ts";
import { SlidingWindowsState } from "../../../../processors/engine/operators/windows/sliding-windows-state.ts";
import {
  count,
  everyCount,
  global,
  max,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  sum,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import { emptyState, type TaskState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import type { WindowDefinition } from "../../../../processors/engine/windows/window.ts";
import { feed, outputsTo, type Reading, recordsOf, watermark } from "../task-fixture.ts";
import { windowed } from "./window-fixture.ts";

function taskOf(definition: PipelineDefinition, state: TaskState): Task {
  return new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });
}

/** The operator's state after these records. */
function stateAfter(window: WindowDefinition, records: Parameters<typeof recordsOf>[0]): unknown {
  const definition = windowed({ window, ...(window.kind === "global" ? {} : { allowedLatenessMs: 20 }) });
  const state = emptyState(definition, [0]);
  feed(taskOf(definition, state), recordsOf(records));
  return state.operators[0];
}

describe("what expired leaves memory", () => {
  const events = [{ t: 0 }, { t: 3 }, { t: 40 }, { t: 45, key: "other" }, { t: 41 }];

  test.each([
    [74, 2],
    [75, 0],
  ])("sessions at watermark %d: %d left", (watermarkMs, left) => {
    const state = stateAfter(session({ gapMs: 10 }), [...events, watermark(5, watermarkMs)]);

    if (!(state instanceof SessionWindowsState)) throw new Error("not the state of sessions");
    expect(state.sessions.size).toBe(left === 2 ? 1 : 0);
    expect(state.queue.size).toBe(left === 2 ? 1 : 0);
  });

  test("sliding windows", () => {
    const state = stateAfter(sliding({ sizeMs: 10 }), [...events, watermark(5, 77)]);

    if (!(state instanceof SlidingWindowsState)) throw new Error("not the state of sliding windows");
    expect(state.keys.size).toBe(0);
    expect(state.queue.size).toBe(0);
  });

  test("a sliding window's elements go while their key goes on", () => {
    const steady = Array.from({ length: 500 }, (_, index) => ({ t: index * 5 }));
    const state = stateAfter(sliding({ sizeMs: 10 }), steady);

    if (!(state instanceof SlidingWindowsState)) throw new Error("not the state of sliding windows");
    const { instants, windows } = state.keys.get("k")!;
    expect(instants.length).toBeLessThan(10);
    expect(windows.length).toBeLessThan(20);
    expect(state.queue.size).toBe(1);
  });

  test("a session waits once in the queue, however many elements it has", () => {
    const steady = Array.from({ length: 500 }, (_, index) => ({ t: index * 5 }));
    const state = stateAfter(session({ gapMs: 10 }), steady);

    if (!(state instanceof SessionWindowsState)) throw new Error("not the state of sessions");
    expect(state.queue.size).toBe(1);
  });

  test("global windows stay", () => {
    const state = stateAfter(global({ trigger: everyCount(2) }), [...events, watermark(5, 1_000_000)]);

    if (!(state instanceof GlobalWindowsState)) throw new Error("not the state of global windows");
    expect(state.rows.size).toBe(2);
  });
});

describe("an aggregate that is added keeps the state, and starts empty", () => {
  const reading = {
    topic: "readings-in",
    decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Reading,
    time: (each: Reading) => each.t,
  };
  const keyed = () =>
    pipeline("readings")
      .from<Reading>(reading, { outOfOrderMs: 0, dedupe: false })
      .keyBy((each) => each.key);

  test.each<[string, WindowDefinition]>([
    ["sessions", session({ gapMs: 10 })],
    ["sliding windows", sliding({ sizeMs: 10 })],
    ["global windows", global({ trigger: everyCount(2) })],
  ])("%s", (_name, window) => {
    const before = keyed()
      .window(window)
      .aggregate({ n: count(), total: sum((each) => each.v) })
      .toResults();
    const after = keyed()
      .window(window)
      .aggregate({ most: max((each) => each.v), total: sum((each) => each.v), n: count() })
      .toResults();
    const old = taskOf(before, emptyState(before, [0]));
    const records = recordsOf([{ t: 1, v: 7 }, { t: 2, v: 3 }, watermark(2, 1_000)]);
    feed(old, records.slice(0, 1));

    const task = taskOf(after, decodeSnapshot(after, old.cut().snapshot));
    feed(task, records);

    const results = outputsTo(task.cut(), "readings.results").map(
      ({ value }) => (value as { value: unknown }).value,
    );
    expect(results).toContainEqual({ most: 3, total: 10, n: 2 });
  });
});
