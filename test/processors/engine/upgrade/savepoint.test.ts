/** Savepoints: taken while the pipeline goes on, and what another version makes of them. */
import { describe, expect, test } from "vitest";
import { encodeManifest } from "../../../../processors/engine/checkpoint/manifest.ts";
import {
  deleteSavepoint,
  readSavepoint,
  savepointName,
} from "../../../../processors/engine/checkpoint/savepoint.ts";
import { takeSavepoint } from "../../../../processors/engine/checkpoint/take-savepoint.ts";
import { type PipelineDefinition, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import type { Task } from "../../../../processors/engine/task/task.ts";
import { startingState } from "../../../../processors/engine/worker/genesis.ts";
import { recordsOf, watermark } from "../task-fixture.ts";
import {
  Commits,
  checkpointerOf,
  feedRest,
  MemoryStore,
  resultsFrom,
  taskFrom,
  version,
} from "./versions.ts";

const first = version({ name: "v1" });
const records = [
  ...recordsOf([{ t: 1 }, { t: 12, v: 4 }, { t: 3 }, { t: 17 }, { t: 25, v: 7 }, { t: 26 }, { t: 41 }]),
  watermark(7, 100),
];

/** A pipeline that runs on two partitions and has committed a base and a delta of each. */
async function scene() {
  const store = new MemoryStore();
  const commits = new Commits(2);
  const tasks: Task[] = [];
  const commit = async (partition: number, number: number) => {
    const checkpointer = checkpointerOf(store, first, partition, 2);
    const names = [number - 1, number].map((n) => `dev/v1/${partition}/c${n}`);
    const task = tasks[partition]!;
    const base = await checkpointer.write(names[0]!, task.cut("base"), 1, null);
    feedRest(task, records.slice(0, 3 + number));
    const prepared = await checkpointer.write(names[1]!, task.cut("delta"), 1, names[0]!, base.manifest);
    commits.commit(partition, prepared.name, encodeManifest(prepared.manifest));
    return prepared;
  };
  for (const partition of [0, 1]) {
    tasks[partition] = taskFrom(first, emptyState(first, [0]));
    await commit(partition, 1);
  }
  return { store, commits, tasks, commit };
}

const take = (
  { store, commits }: Pick<Awaited<ReturnType<typeof scene>>, "store" | "commits">,
  options = {},
) =>
  takeSavepoint({
    log: commits,
    store,
    environment: "dev",
    definition: first,
    name: "before",
    newId: () => "once",
    epochMs: () => 1_000,
    sleep: async () => undefined,
    ...options,
  });

function begin(store: MemoryStore, definition: PipelineDefinition) {
  const log = { bounds: async () => ({ low: 0, high: 100 }), offsetAt: async () => 0 };
  const checkpointer = checkpointerOf(store, definition, 0, 2);
  return startingState({ log, store, checkpointer, environment: "dev", definition, partition: 0 });
}

const startAt = { savepoint: "before", of: "v1" };
/** Names under the prefix of savepoints. */
const kept = ({ blobs }: MemoryStore) => [...blobs.keys()].filter((name) => name.startsWith("savepoints/"));

describe("a savepoint", () => {
  test.each(["v2", "v1"])("is what %s goes on from: same results under its own name", async (name) => {
    const { store, commits, tasks } = await scene();
    const saved = await take({ store, commits });
    expect(
      saved.map(({ partition, checkpoint, offsets }) => [partition, checkpoint, offsets[0]!.offset]),
    ).toEqual([
      [0, 2, 4],
      [1, 2, 4],
    ]);
    // The pipeline goes on, and what its checkpoint was made of is deleted.
    for (const name of [...store.blobs.keys()]) if (name.startsWith("dev/")) store.blobs.delete(name);

    const second = version({ name, startAt });
    const task = taskFrom(second, await begin(store, second));
    feedRest(tasks[0]!, records);
    feedRest(task, records);
    const [before, after] = [tasks[0]!.cut(), task.cut()];
    expect(resultsFrom(after)).toEqual(resultsFrom(before));
    expect(after.counters).toEqual(before.counters);
    expect(new Set(after.outputs.map(({ topic }) => topic))).toEqual(new Set([`${name}.results`]));
  });

  test("may be read by a definition with another aggregate, whose old windows begin empty", async () => {
    const { store, commits } = await scene();
    await take({ store, commits });
    const second = version({ name: "v2", startAt, most: true });
    const task = taskFrom(second, await begin(store, second));
    feedRest(task, records);
    const values = resultsFrom(task.cut()).map((text) => (JSON.parse(text) as { value: object }).value);
    expect(values[0]).toMatchObject({ n: 2, total: 5, most: null });
    expect(values[1]).toMatchObject({ n: 2, total: 8, most: 7 });
  });

  test("is refused by a definition that means something else, with the ways out", async () => {
    const { store, commits } = await scene();
    await take({ store, commits });
    const second = version({ name: "v2", startAt, window: tumbling({ sizeMs: 20 }) });
    const beginning = begin(store, second);
    await expect(beginning).rejects.toMatchObject({ name: "CheckpointError", code: "definition-changed" });
    await expect(beginning).rejects.toThrow(
      /v2 cannot start at savepoint before of v1.*window of its output.*chosen time/s,
    );
  });

  test("holds no outputs, which are committed already", async () => {
    const { store, commits } = await scene();
    const [task] = await take({ store, commits });
    const { manifest, commit } = await checkpointerOf(store, first, 0, 2).load(task!.manifest, task!.sha256);
    expect(manifest.outputs).toBeNull();
    expect(commit.outputs).toEqual([]);
  });

  test("is taken once by a name, and deleted with everything that it wrote", async () => {
    const { store, commits } = await scene();
    await take({ store, commits });
    await expect(take({ store, commits })).rejects.toMatchObject({ code: "exists" });
    expect(kept(store)).toHaveLength(7);
    await deleteSavepoint(store, "dev", "v1", "before");
    expect(kept(store)).toEqual([]);
    await expect(readSavepoint(store, "dev", "v1", "before")).rejects.toMatchObject({ code: "missing" });
  });
});

describe("a savepoint that is taken while the pipeline runs", () => {
  test("follows to the next checkpoint where the one that it copies is deleted on the way", async () => {
    const { store, commits, commit } = await scene();
    let overtaken = false;
    const racing = {
      ...store,
      get: async (name: string) => {
        if (name === "dev/v1/0/c1/delta" && !overtaken) {
          overtaken = true;
          await commit(0, 3);
          for (const gone of ["c0/base", "c1", "c1/delta"]) store.blobs.delete(`dev/v1/0/${gone}`);
        }
        return store.get(name);
      },
    };
    const saved = await take({ store, commits }, { store: racing });
    expect(saved.map(({ checkpoint }) => checkpoint)).toEqual([4, 2]);
    expect(kept(store)).toHaveLength(7);
  });

  test("waits for an offset that shows late", async () => {
    const { store, commits, commit } = await scene();
    for (const gone of ["c0/base", "c1", "c1/delta"]) store.blobs.delete(`dev/v1/0/${gone}`);
    let waits = 0;
    const sleep = async () => {
      waits += 1;
      if (waits === 3) await commit(0, 3);
    };
    const saved = await take({ store, commits }, { sleep });
    expect(saved[0]!.checkpoint).toBe(4);
  });

  test.each([
    ["missing", (blobs: Map<string, Uint8Array>) => blobs.delete("dev/v1/1/c1/delta"), "missing"],
    [
      "damaged",
      (blobs: Map<string, Uint8Array>) => blobs.set("dev/v1/1/c0/base", new Uint8Array(3)),
      "corrupt",
    ],
    [
      "of a damaged manifest",
      (blobs: Map<string, Uint8Array>) => blobs.set("dev/v1/1/c1", new Uint8Array(3)),
      "corrupt",
    ],
  ])("is not made of a checkpoint that is %s, and leaves nothing behind", async (_, damage, code) => {
    const { store, commits } = await scene();
    damage(store.blobs);
    await expect(take({ store, commits })).rejects.toMatchObject({ code });
    expect(kept(store)).toEqual([]);
  });

  test("is refused where a task has not begun", async () => {
    const { store } = await scene();
    await expect(take({ store, commits: new Commits(2) })).rejects.toMatchObject({ code: "incomplete" });
  });

  test("is not there until all of its tasks are", async () => {
    const { store, commits } = await scene();
    const seen: boolean[] = [];
    const index = savepointName("dev", "v1", "before");
    const put = async (name: string, bytes: Uint8Array) => {
      seen.push(store.blobs.has(index));
      await store.put(name, bytes);
    };
    await take({ store, commits }, { store: { ...store, put } });
    expect(seen).toEqual(seen.map(() => false));
    expect(store.blobs.has(index)).toBe(true);
  });
});
