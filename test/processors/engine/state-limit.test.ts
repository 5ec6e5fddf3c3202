import { describe, expect, test } from "vitest";
import {
  count,
  global,
  hopping,
  onUpdate,
  PipelineError,
  pipeline,
  session,
  sliding,
  tumbling,
} from "../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../processors/engine/state/snapshot.ts";
import { emptyState, type TaskState } from "../../../processors/engine/state/task-state.ts";
import { Task } from "../../../processors/engine/task/task.ts";
import type { WindowDefinition } from "../../../processors/engine/windows/window.ts";
import { feed, outputsTo, type Reading, recordsOf, watermark } from "./task-fixture.ts";

const source = {
  topic: "readings-in",
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Reading,
  time: ({ t }: Reading) => t,
};

function definitionOf(window: WindowDefinition) {
  return pipeline("readings", { maxEntriesPerTask: 3 })
    .from(source, { outOfOrderMs: 5, dedupe: false })
    .keyBy(({ key }) => key)
    .window(window)
    .aggregate({ n: count() })
    .toResults();
}

function taskOf(window: WindowDefinition, state?: TaskState): Task {
  const definition = definitionOf(window);
  return new Task({
    definition,
    partition: 0,
    partitions: 1,
    generation: 1,
    nextCheckpoint: 1,
    state: state ?? emptyState(definition, [0]),
  });
}

const four = recordsOf(["a", "b", "c", "d"].map((key) => ({ key, t: 1 })));

const kinds: [string, WindowDefinition][] = [
  ["tumbling", tumbling({ sizeMs: 10 })],
  ["hopping", hopping({ sizeMs: 10, advanceMs: 10 })],
  ["session", session({ gapMs: 10 })],
  ["sliding", sliding({ sizeMs: 10 })],
  ["global", global({ trigger: onUpdate() })],
];

describe.each(kinds)("a task with %s windows that is full", (_, window) => {
  test("dead-letters the event that would need a further entry, also after a recovery", () => {
    const task = taskOf(window);
    feed(task, four.slice(0, 3));
    expect(task.limit.entries).toBe(3);
    const recovered = taskOf(window, decodeSnapshot(definitionOf(window), task.cut().snapshot));
    expect(recovered.limit.entries).toBe(3);

    for (const each of [task, recovered]) {
      feed(each, four.slice(3));

      const [dead] = outputsTo(each.cut(), "dead-letters");
      expect(dead).toMatchObject({ value: four[3]!.value, headers: { "spillway-reason": "state-full" } });
      expect(each.counters).toMatchObject({ counted: 3, dead: 1 });
    }
  });
});

describe.each(kinds.filter(([name]) => name !== "global"))("a task with %s windows", (_, window) => {
  test("has room again once its windows are over", () => {
    const task = taskOf(window);
    feed(task, [...four.slice(0, 3), watermark(3, 1_000)]);

    expect(task.limit.entries).toBe(0);
    feed(task, [{ ...recordsOf([{ key: "d", t: 2_000 }])[0]!, offset: 4 }]);
    expect(task.counters).toMatchObject({ counted: 4, dead: 0 });
  });
});

test("what is there already still counts when the state is full", () => {
  const task = taskOf(tumbling({ sizeMs: 10 }));

  feed(task, [...four.slice(0, 3), { ...recordsOf([{ key: "a", t: 2 }])[0]!, offset: 3 }]);

  expect(task.counters).toMatchObject({ counted: 4, dead: 0 });
});

test.each([0, 1.5, 16_000_001])("a limit of %s is refused when the pipeline is made", (maxEntriesPerTask) => {
  expect(() => pipeline("p", { maxEntriesPerTask })).toThrow(PipelineError);
});
