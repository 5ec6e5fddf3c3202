/** What is behind the last record of a log that is written by transactions: markers, which a consumer never sees. */
import { expect, test } from "vitest";
import type { Commit, GroupHandlers, Log } from "../../../../processors/engine/log/port.ts";
import { Worker } from "../../../../processors/engine/worker/worker.ts";
import { MemoryCheckpointStore } from "../../../support/memory-checkpoint-store.ts";
import { batchOf } from "../../../support/records.ts";
import { readings, recordsOf } from "../task-fixture.ts";

const TOPIC = "readings-in";

/** A worker with one task, which has recovered; every transaction succeeds. */
async function runningWorker() {
  const commits: Commit[] = [];
  let handlers: GroupHandlers | undefined;
  const log = {
    join: async (_group: string, _topics: readonly string[], given: GroupHandlers) => {
      handlers = given;
      return {
        seek: () => undefined,
        pause: () => undefined,
        resume: () => undefined,
        confirm: async () => true,
        leave: async () => undefined,
      };
    },
    fence: async () => ({
      commit: async (commit: Commit) => void commits.push(commit),
      close: async () => undefined,
    }),
    committed: async () => [{ topic: TOPIC, partition: 0, offset: null, metadata: "" }],
    bounds: async () => ({ low: 0, high: 0 }),
    partitionCount: async () => 1,
  } as unknown as Log;
  let recovered: () => void = () => undefined;
  const untilRecovered = new Promise<void>((resolve) => {
    recovered = resolve;
  });
  const nothing = () => undefined;
  const worker = new Worker(
    {
      log,
      store: new MemoryCheckpointStore(),
      clock: {
        nowMs: () => 0,
        epochMs: () => 0,
        sleep: (_ms, signal) =>
          new Promise((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener("abort", () => resolve());
          }),
        yield: () => new Promise((resolve) => setImmediate(resolve)),
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
      definition: readings(),
      owner: "test",
    },
    { onCrash: nothing },
  );
  await worker.start();
  handlers!.onAssigned({ generation: 1, partitions: [{ topic: TOPIC, partition: 0 }] });
  await untilRecovered;
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  return {
    worker,
    commits,
    settle,
    deliver: (batch: Parameters<GroupHandlers["onBatch"]>[0]) => handlers!.onBatch(batch, 1),
  };
}

const lastOffset = (commits: readonly Commit[]): number => commits.at(-1)!.offsets[0]!.offset;

test("the committed offset is behind the commit markers, so that retention may take them", async () => {
  const { worker, commits, settle, deliver } = await runningWorker();
  const batch = batchOf({ topic: TOPIC, partition: 0 }, recordsOf([{ t: 1 }]));

  deliver({ ...batch, nextOffset: 2 });
  await settle();
  await worker.finish();

  expect(lastOffset(commits)).toBe(2);
});

test("the committed offset is not behind records that wait", async () => {
  const { worker, commits, deliver } = await runningWorker();
  const batch = batchOf({ topic: TOPIC, partition: 0 }, recordsOf([{ t: 1 }]));

  deliver({ ...batch, nextOffset: 2 });
  await worker.finish();

  expect(lastOffset(commits)).toBeLessThanOrEqual(1);
});
