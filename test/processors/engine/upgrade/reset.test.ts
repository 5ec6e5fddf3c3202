/** A reset: what it does in which order, and that it can be broken off anywhere and run again. */
import { describe, expect, test } from "vitest";
import { decideFirstStep } from "../../../../processors/engine/checkpoint/decide.ts";
import { encodePointer } from "../../../../processors/engine/checkpoint/manifest.ts";
import { resetPipeline } from "../../../../processors/engine/checkpoint/reset.ts";
import type { Claim } from "../../../../processors/engine/checkpoint/store.ts";
import {
  count,
  type PipelineDefinition,
  pipeline,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { TOPIC, version } from "./versions.ts";

const PARTITIONS = 3;
const metadata = encodePointer({ manifest: "m7", sha256: "" });

/** A pipeline at checkpoint 7 in every partition. `breakAt` says at which of the calls the reset is broken off. */
function scene(definition: PipelineDefinition, breakAt = Number.POSITIVE_INFINITY, members = 0) {
  const calls: string[] = [];
  const slots = new Map<string, Claim>();
  const offsets = new Set<string>();
  const names = [definition, ...definition.upstream].map(({ name }) => name);
  for (const name of names) {
    offsets.add(`dev-${name}`);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      slots.set(`dev/${name}/${partition}`, { epoch: 1, slot: { id: "m7", parent: "m6" }, generation: 1 });
    }
  }
  const state = { breakAt, members, late: 0 };
  const step = (call: string) => {
    if (calls.length >= state.breakAt) throw new Error("broken off");
    calls.push(call);
  };
  const run = () =>
    resetPipeline({
      log: {
        partitionCount: async () => PARTITIONS,
        fence: async (id) => {
          step(`fence ${id}`);
          return { commit: async () => undefined, close: async () => undefined };
        },
      },
      groups: {
        memberCount: async () => state.members,
        delete: async (group) => {
          step(`delete ${group}`);
          if (state.late === 0) offsets.delete(group);
          return state.late === 0;
        },
        truncate: async (topic) => step(`truncate ${topic}`),
      },
      store: {
        read: async (task) => slots.get(task) ?? { epoch: 0, slot: null, generation: 1 },
        reset: async (task, generation) => {
          step(`reset ${task}`);
          slots.set(task, { epoch: (slots.get(task)?.epoch ?? 0) + 1, slot: null, generation });
        },
      },
      environment: "dev",
      definition,
    });
  /** What a task that starts now would do first. */
  const first = (partition: number) => {
    const offset = offsets.has(`dev-${definition.name}`) ? 100 : null;
    const committed = [{ topic: TOPIC, partition, offset, metadata: offset === null ? "" : metadata }];
    return decideFirstStep(committed, slots.get(`dev/${definition.name}/${partition}`)!.slot).kind;
  };
  return { run, calls, slots, state, first };
}

const plain = version({ name: "v1" });
const staged = pipeline("v1")
  .from({ topic: TOPIC, decode: () => ({ t: 0 }), time: ({ t }) => t }, { outOfOrderMs: 0, dedupe: false })
  .rekeyBy("other", () => "k")
  .window(tumbling({ sizeMs: 10 }))
  .aggregate({ n: count() })
  .toResults();

describe("a reset", () => {
  test("lets every task begin anew, with a higher generation", async () => {
    const { run, slots, first } = scene(plain);
    expect(await run()).toEqual([{ name: "v1", partitions: PARTITIONS, generation: 2 }]);
    expect([...slots.values()]).toEqual(Array(PARTITIONS).fill({ epoch: 2, slot: null, generation: 2 }));
    expect([0, 1, 2].map(first)).toEqual(["genesis", "genesis", "genesis"]);
  });

  test("fences each task once its slot is empty, and deletes the offsets last", async () => {
    const { run, calls } = scene(plain);
    await run();
    const tasks = [0, 1, 2].flatMap((partition) => [
      `reset dev/v1/${partition}`,
      `fence dev-v1-${partition}`,
    ]);
    expect(calls).toEqual([...tasks, "delete dev-v1"]);
  });

  test("gives all tasks one generation, above that of any", async () => {
    const { run, slots } = scene(plain);
    slots.set("dev/v1/1", { epoch: 9, slot: null, generation: 5 });
    await run();
    expect([...slots.values()].map(({ generation }) => generation)).toEqual([6, 6, 6]);
  });

  test("of several stages throws away what is on the way between them, before any offset is gone", async () => {
    const { run, calls } = scene(staged);
    expect((await run()).map(({ name }) => name)).toEqual(["v1.other", "v1"]);
    expect(calls.slice(-3)).toEqual(["truncate v1.other.forwarded", "delete dev-v1.other", "delete dev-v1"]);
  });

  test("is refused while the group has members, and changes nothing", async () => {
    const { run, calls } = scene(plain, undefined, 2);
    await expect(run()).rejects.toThrow(/dev-v1 has 2 members/);
    expect(calls).toEqual([]);
  });

  test("says so where a member came while it ran", async () => {
    const { run, state } = scene(plain);
    state.late = 1;
    await expect(run()).rejects.toMatchObject({ name: "ResetError", code: "in-use" });
    state.late = 0;
    expect(await run()).toMatchObject([{ generation: 3 }]);
  });

  test.each(Array.from({ length: 7 }, (_, index) => index))(
    "that is broken off at call %i lets no task begin anew unless it is done, and is run again",
    async (breakAt) => {
      const { run, state, first, slots } = scene(plain, breakAt);
      await expect(run()).rejects.toThrow("broken off");
      for (const partition of [0, 1, 2]) {
        if (slots.get(`dev/v1/${partition}`)!.slot === null) {
          expect(() => first(partition)).toThrow(expect.objectContaining({ code: "unknown-checkpoint" }));
        } else {
          expect(first(partition)).toBe("load");
        }
      }
      state.breakAt = Number.POSITIVE_INFINITY;
      await run();
      expect([0, 1, 2].map(first)).toEqual(["genesis", "genesis", "genesis"]);
      expect(new Set([...slots.values()].map(({ generation }) => generation)).size).toBe(1);
    },
  );
});
