/** Very many keys that are due at once: in bounded steps, between which a cut may fall and everything else goes on. */
import { describe, expect, test } from "vitest";
import type { Commit, GroupHandlers, Log, RecordBatch } from "../../../../processors/engine/log/port.ts";
import {
  type Aggregate,
  count,
  everyEventTimeMs,
  global,
  hopping,
  type KeyedStream,
  keyedState,
  onClose,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { defaultLimits, Worker } from "../../../../processors/engine/worker/worker.ts";
import { MemoryCheckpointStore } from "../../../support/memory-checkpoint-store.ts";
import { freshTask } from "../task-fixture.ts";

const TOPIC = "numbers";
const END_MS = 1_000;

/** A record's value is the number of its key; all are of the first moment, but that of -1, which ends it. */
function decode(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset).getInt32(0);
}

const keyed = () =>
  pipeline("many", { maxEntriesPerTask: 4_000_000 })
    .from<number>(
      { topic: TOPIC, decode, time: (n) => (n < 0 ? END_MS : 0) },
      { outOfOrderMs: 0, dedupe: false, idleTimeoutMs: null },
    )
    .keyBy((n) => `key-${n}`);

/** Keys 0 to `keys` - 1, then the record that makes all of them due. */
function numbers(keys: number, firstOffset = 0): RecordBatch {
  const bytes = new DataView(new ArrayBuffer(4));
  return {
    topic: TOPIC,
    partition: 0,
    count: keys + 1,
    highWatermark: firstOffset + keys + 1,
    nextOffset: firstOffset + keys + 1,
    offset: (index) => firstOffset + index,
    arrivalMs: () => END_MS,
    key: () => null,
    value: (index) => {
      bytes.setInt32(0, index === keys ? -1 : index);
      return new Uint8Array(bytes.buffer);
    },
    header: () => undefined,
  };
}

const n: { n: Aggregate<number> } = { n: count() };
const steps: Record<string, (items: KeyedStream<number>) => PipelineDefinition> = {
  tumbling: (items) =>
    items
      .window(tumbling({ sizeMs: 10 }))
      .aggregate(n)
      .toResults(),
  "hopping, emitted every moment": (items) =>
    items
      .window(hopping({ sizeMs: 2_000, advanceMs: 1_000 }), { emit: everyEventTimeMs(1) })
      .aggregate(n)
      .toResults(),
  session: (items) =>
    items
      .window(session({ gapMs: 10 }))
      .aggregate(n)
      .toResults(),
  "session, emitted every moment": (items) =>
    items
      .window(session({ gapMs: 10_000 }), { emit: everyEventTimeMs(1) })
      .aggregate(n)
      .toResults(),
  sliding: (items) =>
    items
      .window(sliding({ sizeMs: 10 }))
      .aggregate(n)
      .toResults(),
  "global, emitted every moment": (items) =>
    items
      .window(global({ trigger: everyEventTimeMs(1) }), { emit: onClose() })
      .aggregate(n)
      .toResults(),
  "process timers": (items) =>
    items
      .process({
        state: keyedState<number>({ ttlMs: 100 }),
        onEvent: (_, { state, timers, timeMs }) => {
          state.set(1);
          timers.set(timeMs + 10);
        },
        onTimer: (_, { emit }) => emit({ n: 1 }),
      })
      .toResults(),
  correlate: (items) =>
    items
      .correlate({ withinMs: 10, all: { any: (each: number) => each >= -1, other: () => false } })
      .toResults(),
};

const open = (
  definition: PipelineDefinition,
  state: Uint8Array,
  deltas: readonly Uint8Array[],
  next: number,
) =>
  new Task({
    definition,
    partition: 0,
    partitions: 1,
    generation: 1,
    nextCheckpoint: next,
    state: decodeSnapshot(definition, state, deltas),
  });

const keysIn = (task: Pick<Task, "pendingOutputs">) =>
  task.pendingOutputs.map(({ key }) => Buffer.from(key!).toString());

describe.each(Object.keys(steps))("%s, with 5,000 keys due at once", (kind) => {
  const KEYS = 5_000;
  const MAX_STEPS = 70;

  test("fires them in bounded steps, and goes on where a cut fell inside", () => {
    const definition = steps[kind]!(keyed());
    let task = freshTask(definition);
    const batch = numbers(KEYS);
    let next = 0;
    while (next < KEYS || task.firing) {
      if (task.firing) task.fire(KEYS);
      else next = task.apply(batch, next, KEYS - next);
    }
    const early = keysIn(task);
    const base = task.cut("base");
    const deltas: Uint8Array[] = [];
    expect(task.apply(batch, next, 1)).toBe(KEYS + 1);

    const fired = early;
    let slices = 0;
    while (task.firing) {
      const before = task.pendingOutputs.length;
      const did = task.fire(MAX_STEPS);
      expect(did).toBeLessThanOrEqual(MAX_STEPS);
      expect(task.pendingOutputs.length - before).toBeLessThanOrEqual(MAX_STEPS);
      slices += 1;
      if (slices % 20 === 0) {
        fired.push(...keysIn(task));
        const cut = task.cut("delta");
        deltas.push(cut.snapshot);
        expect(cut.firing).toBe(task.firing);
        // Putting keys in order begins again after a crash, so one that comes before its end would gain nothing.
        if (cut.outputs.length === 0) continue;
        task = open(definition, base.snapshot, deltas, cut.number + 1);
        expect(task.firing).toBe(cut.firing);
      }
    }
    fired.push(...keysIn(task));
    expect(slices).toBeGreaterThanOrEqual(KEYS / MAX_STEPS);

    const whole = freshTask(definition);
    for (let at = 0; at < batch.count; ) {
      if (whole.firing) whole.fire(1_000_000);
      else at = whole.apply(batch, at, 1_000_000);
    }
    while (whole.firing) whole.fire(1_000_000);
    expect(fired).toEqual(keysIn(whole));
    expect(new Set(fired).size).toBeGreaterThanOrEqual(KEYS);
  });
});

test("a window that closes over a million keys does so in slices of at most so many rows", {
  timeout: 120_000,
}, () => {
  const KEYS = 1_000_000;
  const MAX_STEPS = 2_000;
  const task = freshTask(steps.tumbling!(keyed()));
  const batch = numbers(KEYS);
  let next = 0;
  let largest = 0;
  const wrote = () => {
    largest = Math.max(largest, task.pendingOutputs.length);
    return task.pendingOutputs.length > 0 ? task.cut("delta").outputs.length : 0;
  };
  let results = 0;
  while (next < batch.count || task.firing) {
    if (task.firing) task.fire(MAX_STEPS);
    else next = task.apply(batch, next, MAX_STEPS);
    results += wrote();
  }
  expect(results).toBe(KEYS);
  expect(largest).toBeLessThanOrEqual(MAX_STEPS);
  expect(task.limit.entries).toBe(1);
});

/** A worker with one task on a log that always agrees; `yields` are its looks at the event loop. */
async function workerOf(
  definition: PipelineDefinition,
  limits: Partial<typeof defaultLimits>,
  onYield: () => void,
) {
  const commits: Commit[] = [];
  let handlers: GroupHandlers | undefined;
  const nothing = () => undefined;
  const membership = {
    seek: nothing,
    pause: nothing,
    resume: nothing,
    confirm: async () => true,
    leave: async () => undefined,
  };
  const log = {
    join: async (_group: string, _topics: readonly string[], given: GroupHandlers) => {
      handlers = given;
      return membership;
    },
    fence: async () => ({
      commit: async (commit: Commit) => void commits.push(commit),
      close: async () => undefined,
    }),
    committed: async () => [{ topic: TOPIC, partition: 0, offset: null, metadata: "" }],
    bounds: async () => ({ low: 0, high: 0 }),
    partitionCount: async () => 1,
  } as unknown as Log;
  const recovered = Promise.withResolvers<void>();
  const failures: Error[] = [];
  let id = 0;
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
        yield: () => {
          onYield();
          return new Promise((resolve) => setImmediate(resolve));
        },
      },
      newId: () => String(id++),
      observer: {
        recovered: () => recovered.resolve(),
        checkpointed: nothing,
        parked: nothing,
        dropped: nothing,
        retried: nothing,
        failed: (_, error) => failures.push(error),
      },
      environment: "test",
      definition,
      owner: "test",
    },
    { onCrash: nothing },
    { ...defaultLimits, ...limits },
  );
  await worker.start();
  handlers!.onAssigned({ generation: 1, partitions: [{ topic: TOPIC, partition: 0 }] });
  await recovered.promise;
  return { worker, commits, failures, deliver: (batch: RecordBatch) => handlers!.onBatch(batch, 1) };
}

test("a worker looks at the event loop between slices of a firing, and commits inside it", async () => {
  const KEYS = 30_000;
  const MAX_STEPS = 200;
  const MAX_BYTES = 500_000;
  let rows = 0;
  let mostRows = 0;
  const counting: Aggregate<number> = {
    ...count<number>(),
    result: () => {
      rows += 1;
      return 1;
    },
  };
  const definition = keyed()
    .window(tumbling({ sizeMs: 10 }))
    .aggregate({ n: counting })
    .toResults();
  const done = Promise.withResolvers<void>();
  let total = 0;
  const { worker, commits, failures, deliver } = await workerOf(
    definition,
    { maxStepsPerSlice: MAX_STEPS, maxPendingOutputBytes: MAX_BYTES },
    () => {
      mostRows = Math.max(mostRows, rows);
      total += rows;
      rows = 0;
      if (total === KEYS) done.resolve();
    },
  );

  deliver(numbers(KEYS));
  await done.promise;
  await worker.finish();

  expect(failures).toEqual([]);
  expect(mostRows).toBeLessThanOrEqual(MAX_STEPS);
  const written = commits.map(({ outputs }) => outputs.length);
  expect(written.reduce((sum, each) => sum + each)).toBe(KEYS);
  expect(written.filter((each) => each > 0).length).toBeGreaterThan(5);
});
