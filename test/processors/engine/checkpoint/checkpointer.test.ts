import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Checkpointer } from "../../../../processors/engine/checkpoint/checkpointer.ts";
import type { CheckpointStore } from "../../../../processors/engine/checkpoint/store.ts";
import { FixedWindowsState } from "../../../../processors/engine/operators/windows/fixed-windows-state.ts";
import { decodeSnapshot, encodeBase } from "../../../../processors/engine/state/snapshot.ts";
import type { TaskState } from "../../../../processors/engine/state/task-state.ts";
import { readable } from "../../../support/records.ts";
import { freshTask, readings } from "../task-fixture.ts";

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
    claim: async () => ({ epoch: 1, slot: null }),
    read: async () => ({ epoch: 1, slot: null }),
    register: async () => undefined,
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
  return windows.inOrder();
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

  test("discarding it deletes every blob it wrote", async () => {
    const blobs = new Map<string, Uint8Array>();
    const checkpointer = checkpointerOn(blobs);
    const prepared = await checkpointer.write("x", freshTask(definition).cut(), 1, null);

    await checkpointer.discard(prepared);

    expect([...blobs.keys()]).toEqual([]);
  });
});
