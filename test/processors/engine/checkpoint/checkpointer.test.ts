import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Checkpointer } from "../../../../processors/engine/checkpoint/checkpointer.ts";
import { compactHere } from "../../../../processors/engine/checkpoint/compactor.ts";
import type { CheckpointStore } from "../../../../processors/engine/checkpoint/store.ts";
import { FixedWindowsState } from "../../../../processors/engine/operators/windows/fixed-windows-state.ts";
import { decodeSnapshot, encodeBase } from "../../../../processors/engine/state/snapshot.ts";
import type { TaskState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { readable } from "../../../support/records.ts";
import { feed, freshTask, readings, recordsOf } from "../task-fixture.ts";

/** What release 0.1 wrote; never written again (see fixtures/checkpoint-v1.ts). */
const released = JSON.parse(
  readFileSync(new URL("../fixtures/checkpoint-v1.json", import.meta.url), "utf8"),
) as Record<string, string>;
const NAME = "dev/readings/0/00000001-000000000001-fixture";
const definition = readings({ outOfOrderMs: 5, allowedLatenessMs: 10 });

function storeOf(blobs: Map<string, Uint8Array>): CheckpointStore {
  return {
    put: async (name, bytes) => void blobs.set(name, bytes),
    get: async (name) => blobs.get(name) ?? null,
    claim: async () => ({ epoch: 1, slot: null, generation: 1 }),
    read: async () => ({ epoch: 1, slot: null, generation: 1 }),
    register: async () => undefined,
    reset: async () => undefined,
    list: async (task) => [...blobs.keys()].filter((name) => name.startsWith(`${task}/`)),
    delete: async (names) => names.forEach((name) => void blobs.delete(name)),
  };
}

const releasedBlobs = () =>
  new Map(
    Object.entries(released).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]),
  );

function checkpointerOn(
  blobs: Map<string, Uint8Array>,
  overrides: { partitions?: number; lateness?: number } = {},
) {
  return new Checkpointer({
    store: storeOf(blobs),
    task: "dev/readings/0",
    definition:
      overrides.lateness === undefined ? definition : readings({ allowedLatenessMs: overrides.lateness }),
    partition: 0,
    partitions: overrides.partitions ?? 1,
    newId: () => "new",
  });
}

function windowsOf({ operators: [windows] }: TaskState) {
  if (!(windows instanceof FixedWindowsState)) throw new Error("the pipeline has windows of fixed size");
  return windows.windows.inOrder();
}

describe("a checkpoint of format 1", () => {
  test("is read back: state, outputs, offsets and counters", async () => {
    const { manifest, state, commit } = await checkpointerOn(releasedBlobs()).load(NAME, null);

    expect(manifest).toMatchObject({ format: 1, number: 1, generation: 1, watermarkMs: 26 });
    expect(state.counters).toEqual({ counted: 5, late: 1, duplicate: 1, dead: 1, ignored: 0, results: 4 });
    expect(windowsOf(state).map(({ startMs, rows }) => [startMs, [...rows.keys()]])).toEqual([
      [10, ["é"]],
      [30, ["b"]],
    ]);
    expect(commit.offsets).toMatchObject([{ topic: "readings-in", partition: 0, offset: 8 }]);
    expect(commit.outputs.map(readable).map(({ topic }) => topic)).toMatchInlineSnapshot(`
      [
        "readings.results",
        "readings.results",
        "readings.results",
        "dead-letters",
        "readings.results",
        "readings.late",
      ]
    `);
  });

  test("is the same state when it is written anew", async () => {
    const { state } = await checkpointerOn(releasedBlobs()).load(NAME, null);

    const again = decodeSnapshot(definition, encodeBase(definition, state));

    expect(windowsOf(again).map(({ rows, ...window }) => [window, [...rows]])).toEqual(
      windowsOf(state).map(({ rows, ...window }) => [window, [...rows]]),
    );
    expect(encodeBase(definition, again)).toEqual(encodeBase(definition, state));
  });

  test("knows of no arrival, so that the clock moves nothing before the next record", async () => {
    const { state } = await checkpointerOn(releasedBlobs()).load(NAME, null);
    const options = { definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 2, state };
    const task = new Task(options);

    task.tick(0, 1_000_000);

    expect(task.watermarkMs).toBe(26);
    expect(task.firing).toBe(false);
  });

  test.each([
    ["a missing manifest", (blobs: Map<string, Uint8Array>) => blobs.delete(NAME), "missing"],
    ["a missing base", (blobs: Map<string, Uint8Array>) => blobs.delete(`${NAME}/base`), "missing"],
    ["missing outputs", (blobs: Map<string, Uint8Array>) => blobs.delete(`${NAME}/outputs`), "missing"],
    [
      "a truncated base",
      (blobs: Map<string, Uint8Array>) =>
        blobs.set(`${NAME}/base`, blobs.get(`${NAME}/base`)!.subarray(0, 40)),
      "corrupt",
    ],
    [
      "a manifest that is no JSON",
      (blobs: Map<string, Uint8Array>) => blobs.set(NAME, new Uint8Array(9)),
      "corrupt",
    ],
  ])("%s is told, not guessed", async (_, damage, code) => {
    const blobs = releasedBlobs();
    damage(blobs);

    await expect(checkpointerOn(blobs).load(NAME, null)).rejects.toMatchObject({
      name: "CheckpointError",
      code,
    });
  });

  test("another hash than the committed one is corrupt", async () => {
    const loading = checkpointerOn(releasedBlobs()).load(NAME, "00");

    await expect(loading).rejects.toMatchObject({ code: "corrupt" });
  });

  test("another partition count, or another definition, is refused", async () => {
    const partitions = checkpointerOn(releasedBlobs(), { partitions: 2 }).load(NAME, null);
    const lateness = checkpointerOn(releasedBlobs(), { lateness: 11 }).load(NAME, null);

    await expect(partitions).rejects.toMatchObject({ code: "partitions-changed" });
    await expect(lateness).rejects.toMatchObject({ code: "definition-changed" });
  });
});

describe("a chain of checkpoints", () => {
  const fill = (task: ReturnType<typeof freshTask>, from: number) =>
    feedAt(task, from, [
      { t: from, key: "a", v: from },
      { t: from, key: "b", v: 1 },
    ]);

  async function chainOf(length: number) {
    const blobs = new Map<string, Uint8Array>();
    const checkpointer = checkpointerOn(blobs);
    const task = freshTask(definition);
    fill(task, 0);
    let last = await checkpointer.write("c0", task.cut("base"), 1, null);
    for (let i = 1; i <= length; i++) {
      fill(task, 2 * i);
      const previous = last;
      last = await checkpointer.write(`c${i}`, task.cut("delta"), 1, previous.name, previous.manifest);
      await checkpointer.discard(previous, last.manifest);
    }
    return { blobs, checkpointer, task, last };
  }

  test("is read back as base and deltas", async () => {
    const { checkpointer, task, last } = await chainOf(3);

    const { state, extendable } = await checkpointer.load(last.name, null);

    expect(last.manifest.deltas.map(({ name }) => name)).toEqual(["c1/delta", "c2/delta", "c3/delta"]);
    expect(encodeBase(definition, state)).toEqual(task.cut("base").snapshot);
    expect(extendable).toBe(true);
  });

  test("keeps what its last checkpoint refers to, and deletes the rest", async () => {
    const { blobs, checkpointer, task, last } = await chainOf(2);

    expect([...blobs.keys()].sort()).toEqual(["c0/base", "c1/delta", "c2", "c2/delta"]);
    const whole = await checkpointer.write("c3", task.cut("base"), 1, last.name);
    await checkpointer.discard(last, whole.manifest);
    expect([...blobs.keys()].sort()).toEqual(["c3", "c3/base"]);
  });

  test("is compacted into one base that holds the same state", async () => {
    const { checkpointer, task, last } = await chainOf(4);

    const base = await checkpointer.compact("compacted", last.manifest, compactHere);

    fill(task, 20);
    const follows = { base, deltas: [] };
    const next = await checkpointer.write("c5", task.cut("delta"), 1, last.name, follows);
    const { state } = await checkpointer.load(next.name, null);
    expect(encodeBase(definition, state)).toEqual(task.cut("base").snapshot);
  });

  test("of format 1 is no base for a delta of today", async () => {
    const { extendable } = await checkpointerOn(releasedBlobs()).load(NAME, null);

    expect(extendable).toBe(false);
  });

  test("whose delta is missing cannot be read", async () => {
    const { blobs, checkpointer, last } = await chainOf(2);
    blobs.delete("c1/delta");

    await expect(checkpointer.load(last.name, null)).rejects.toMatchObject({ code: "missing" });
  });
});

test("collecting deletes what earlier owners left, and keeps the chain and everything newer", async () => {
  const blobs = new Map<string, Uint8Array>();
  const checkpointer = checkpointerOn(blobs);
  const [task, other] = ["dev/readings/0", "dev/readings/01"];
  const loaded = await checkpointer.write(`${task}/00000002-1-a`, freshTask(definition).cut(), 1, null);
  const kept = [...blobs.keys(), `${task}/00000003-2-b`, `${task}/00000004-2-c`, `${other}/00000001-1-d`];
  const left = [`${task}/00000001-1-e/base`, `${task}/00000002-2-f`];
  for (const name of [...kept, ...left]) blobs.set(name, new Uint8Array());

  await checkpointer.collect(3, loaded);

  expect([...blobs.keys()].sort()).toEqual(kept.sort());
});

function feedAt(
  task: ReturnType<typeof freshTask>,
  offset: number,
  items: Parameters<typeof recordsOf>[0],
): void {
  const records = recordsOf(items).map((record) => ({ ...record, offset: record.offset + offset }));
  feed(
    task,
    records.map((record, i) => ({
      ...record,
      value: record.value?.toString().replace(/"e\d+"/, `"e${offset + i}"`) ?? null,
    })),
  );
}
