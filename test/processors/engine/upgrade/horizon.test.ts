/** Ids are kept in buckets as wide as their horizon makes them: state of another horizon is read into other buckets. */
import { expect, test } from "vitest";
import { tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { feed, freshTask, readings, recordsOf } from "../task-fixture.ts";

const withHorizon = (horizonMs: number) =>
  readings({ window: tumbling({ sizeMs: 1_000 }), dedupe: { horizonMs } });

test.each([
  ["shorter", 1_600, 160, 99, 255],
  ["longer", 160, 240, 49, 286],
])("a horizon that was made %s forgets no event before its time", (_, wasMs, isMs, eventMs, watermarkMs) => {
  const before = freshTask(withHorizon(wasMs));
  const records = recordsOf([
    { id: "a", t: eventMs },
    { id: "b", t: watermarkMs },
    { id: "a", t: eventMs },
  ]);
  feed(before, records.slice(0, 1));
  const definition = withHorizon(isMs);
  const state = decodeSnapshot(definition, before.cut().snapshot);

  const task = new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });
  feed(task, records.slice(1));

  expect(task.counters).toMatchObject({ counted: 2, duplicate: 1, late: 0 });
});
