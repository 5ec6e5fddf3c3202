import { expect, test } from "vitest";
import { type IdleOptions, tickWhileIdle } from "../../../../processors/engine/worker/idle.ts";
import type { Clock } from "../../../../processors/engine/worker/ports.ts";
import { feed, freshTask, readings, recordsOf } from "../task-fixture.ts";

const IDLE_TIMEOUT_MS = 60_000;
const ARRIVED_MS = 1_000_000;

/** Time passes only where the loop sleeps; after `looks` sleeps the loop is ended. */
function scene(looks: number, options: Partial<IdleOptions> = {}) {
  const ended = new AbortController();
  const end = { offset: 1, asked: 0 };
  const task = freshTask(readings());
  feed(
    task,
    recordsOf([{ t: 5 }]).map((record) => ({ ...record, arrivalMs: ARRIVED_MS })),
  );
  const ticks: number[] = [];
  let nowMs = 0;
  let left = looks;
  const clock: Clock = {
    nowMs: () => nowMs,
    epochMs: () => ARRIVED_MS + nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      left -= 1;
      if (left < 0) ended.abort();
    },
    yield: async () => undefined,
  };
  const run = tickWhileIdle({
    task,
    inputs: readings().inputs,
    clock,
    signal: ended.signal,
    position: () => task.offsets[0],
    endOffset: async () => {
      end.asked += 1;
      return end.offset;
    },
    onFailure: () => undefined,
    onTick: () => ticks.push(nowMs),
    ...options,
  });
  return { run, task, ticks, end };
}

test("an input is idle once nothing has come for its timeout", async () => {
  const { run, task, ticks } = scene(70);
  await run;
  expect(ticks).toEqual([IDLE_TIMEOUT_MS]);
  expect(task.watermarkMs).toBe(5 + IDLE_TIMEOUT_MS);
});

test("the end of the log is asked for only when a tick would matter", async () => {
  const { run, end } = scene(70);
  await run;
  expect(end.asked).toBe(1);
});

test.each<[string, Partial<IdleOptions>]>([
  ["records follow that were not fetched", { endOffset: async () => 2 }],
  ["a transaction is open", { endOffset: async () => 3 }],
  ["fetched records wait", { position: () => undefined }],
  [
    "the end cannot be read",
    {
      endOffset: () => {
        throw new Error("the broker is away");
      },
    },
  ],
])("there is no tick while %s", async (_, options) => {
  const { run, ticks } = scene(70, options);
  await run;
  expect(ticks).toEqual([]);
});

test("commit markers behind the last record do not count as records", async () => {
  const { run, ticks } = scene(70, { position: () => 2, endOffset: async () => 2 });
  await run;
  expect(ticks).toEqual([IDLE_TIMEOUT_MS]);
});

test("where no input has an idle timeout nothing is looked for", async () => {
  const [input] = readings().inputs;
  const { run } = scene(Number.POSITIVE_INFINITY, { inputs: [{ ...input!, idleTimeoutMs: null }] });
  await run;
});
