import { describe, expect, test } from "vitest";
import { encodePointer, sha256 } from "../../../../processors/engine/checkpoint/manifest.ts";
import type { CheckpointStore } from "../../../../processors/engine/checkpoint/store.ts";
import type { GroupHandlers, GroupMembership, Log } from "../../../../processors/engine/log/port.ts";
import type { WorkerContext } from "../../../../processors/engine/worker/ownership.ts";
import { Worker } from "../../../../processors/engine/worker/worker.ts";
import { readings } from "../task-fixture.ts";

const TOPIC = "readings-in";
/** Looks like one, but names no base: code that believes it throws. */
const MANIFEST = new TextEncoder().encode('{"format":2,"partitions":1}');
const slot = { id: "m", parent: "p" };
const metadata = encodePointer({ manifest: slot.id, sha256: sha256(MANIFEST) });

/** A worker on a log and a store that do nothing but what the test says. */
function scene() {
  const calls: string[] = [];
  const failures: Error[] = [];
  let failed: () => void = () => undefined;
  const untilFailed = new Promise<void>((resolve) => {
    failed = resolve;
  });
  const membership: GroupMembership = {
    seek: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    confirm: async () => true,
    leave: async () => void calls.push("left"),
  };
  let handlers: GroupHandlers | undefined;
  let joined: (member: GroupMembership) => void = () => undefined;
  const joining = new Promise<GroupMembership>((resolve) => {
    joined = resolve;
  });
  const log = {
    join: (_group: string, _topics: readonly string[], given: GroupHandlers) => {
      handlers = given;
      return joining;
    },
    fence: async () => ({ commit: async () => undefined, close: async () => undefined }),
    committed: async () => [{ topic: TOPIC, partition: 0, offset: 0, metadata }],
    bounds: async () => ({ low: 0, high: 0 }),
    partitionCount: async () => 1,
  } as unknown as Log;
  const store = {
    claim: async () => ({ epoch: 1, slot, generation: 1 }),
    read: async () => ({ epoch: 1, slot, generation: 1 }),
    get: async () => MANIFEST,
  } as unknown as CheckpointStore;
  const observer = {
    recovered: () => undefined,
    checkpointed: () => undefined,
    parked: () => calls.push("parked"),
    dropped: () => calls.push("dropped"),
    retried: () => calls.push("retried"),
    failed: (_task: unknown, error: Error) => {
      failures.push(error);
      failed();
    },
  };
  const context: WorkerContext = {
    log,
    store,
    clock: {
      nowMs: () => 0,
      epochMs: () => 0,
      sleep: async () => undefined,
      yield: async () => undefined,
    },
    newId: () => "id",
    observer,
    environment: "test",
    definition: readings(),
    owner: "test",
  };
  const worker = new Worker(context, { onCrash: () => undefined });
  return { worker, calls, failures, untilFailed, join: () => joined(membership), handlers: () => handlers! };
}

describe("a worker", () => {
  test("that is told to stop before it has joined leaves the group", async () => {
    const { worker, calls, join } = scene();
    const started = worker.start();
    const finished = worker.finish();
    join();
    await Promise.all([started, finished]);
    expect(calls).toEqual(["left"]);
  });

  test("fails a task whose engine throws, and does not try it again", async () => {
    const { worker, calls, failures, untilFailed, join, handlers } = scene();
    const started = worker.start();
    join();
    await started;
    handlers().onAssigned({ generation: 1, partitions: [{ topic: TOPIC, partition: 0 }] });
    await untilFailed;
    expect(failures).toEqual([expect.any(TypeError)]);
    expect(calls).toEqual([]);
  });
});
