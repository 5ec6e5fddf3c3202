/** An input that was idle at the last checkpoint, and had records while nobody ran. */
import { expect, test } from "vitest";
import { Checkpointer } from "../../../../processors/engine/checkpoint/checkpointer.ts";
import type { Commit, CommittedOffset, GroupHandlers, Log } from "../../../../processors/engine/log/port.ts";
import { count, pipeline, stream, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { Worker } from "../../../../processors/engine/worker/worker.ts";
import { MemoryCheckpointStore } from "../../../support/memory-checkpoint-store.ts";
import { batchOf } from "../../../support/records.ts";

const TASK = "test/united/0";

const source = (topic: string) => ({
  topic,
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as { t: number },
  time: ({ t }: { t: number }) => t,
});

const definition = pipeline("united")
  .from(source("web"), { outOfOrderMs: 0, dedupe: false })
  .union(stream(source("shops"), { outOfOrderMs: 0, dedupe: false }))
  .keyBy(() => "k")
  .window(tumbling({ sizeMs: 10 }))
  .aggregate({ n: count() })
  .toResults();

const batch = (topic: string, offset: number, t: number) =>
  batchOf({ topic, partition: 0 }, [{ offset, value: JSON.stringify({ t }), arrivalMs: 1_000 + t }]);

/** A store with a committed checkpoint: both inputs had a record, and then the clock found shops silent. */
async function committedCheckpoint(store: MemoryCheckpointStore): Promise<Commit> {
  const checkpointer = new Checkpointer({
    store,
    task: TASK,
    definition,
    partition: 0,
    partitions: 1,
    newId: () => "id",
  });
  const state = emptyState(definition, [0, 0]);
  const task = new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 0, state });
  task.apply(batch("web", 0, 5), 0, 10);
  task.apply(batch("shops", 0, 5), 0, 10);
  task.tick(1, 1_006);
  const { epoch } = await store.claim(TASK);
  const prepared = await checkpointer.write(checkpointer.newName(epoch, 0), task.cut(), 1, null);
  await checkpointer.register(prepared, epoch);
  return prepared.commit;
}

test("an input that was idle before a recovery holds the others back until the clock finds it silent again", async () => {
  const store = new MemoryCheckpointStore();
  const commits = [await committedCheckpoint(store)];
  let handlers: GroupHandlers | undefined;
  const nothing = () => undefined;
  const log = {
    join: async (_group: string, _topics: readonly string[], given: GroupHandlers) => {
      handlers = given;
      return {
        seek: nothing,
        pause: nothing,
        resume: nothing,
        confirm: async () => true,
        leave: async () => undefined,
      };
    },
    fence: async () => ({
      commit: async (commit: Commit) => void commits.push(commit),
      close: async () => undefined,
    }),
    committed: async () => commits.at(-1)!.offsets as readonly CommittedOffset[],
    bounds: async () => ({ low: 0, high: 2 }),
    partitionCount: async () => 1,
  } as unknown as Log;
  let recovered: () => void = nothing;
  const untilRecovered = new Promise<void>((resolve) => {
    recovered = resolve;
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const worker = new Worker(
    {
      log,
      store,
      clock: {
        nowMs: () => 0,
        epochMs: () => 0,
        sleep: (_ms, signal) =>
          new Promise((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener("abort", () => resolve());
          }),
        yield: settle,
      },
      newId: () => "id",
      observer: {
        recovered,
        checkpointed: nothing,
        parked: nothing,
        dropped: nothing,
        retried: nothing,
        failed: nothing,
      },
      environment: "test",
      definition,
      owner: "test",
    },
    { onCrash: nothing },
  );
  await worker.start();
  handlers!.onAssigned({
    generation: 1,
    partitions: [
      { topic: "web", partition: 0 },
      { topic: "shops", partition: 0 },
    ],
  });
  await untilRecovered;
  await settle();

  handlers!.onBatch(batch("web", 1, 500), 1);
  await settle();
  handlers!.onBatch(batch("shops", 1, 300), 1);
  await settle();
  await worker.finish();

  expect(commits.at(-1)!.offsets.map(({ offset }) => offset)).toEqual([2, 2]);
  expect(commits.flatMap(({ outputs }) => outputs.map(({ topic }) => topic))).not.toContain("united.late");
});
