import { expect, test, vi } from "vitest";
import type { Checkpointed, Observer, Recovery } from "../../processors/engine/worker/ports.ts";
import { LoadSignals } from "../../processors/load-signals.ts";

const EPOCH_MS = 1_000_000;

function watched() {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, epochMs: () => EPOCH_MS + nowMs };
  const signals = new LoadSignals(clock, new Map([["delays", ["flights"]]]));
  const told: Observer = {
    recovered: vi.fn(),
    checkpointed: vi.fn(),
    parked: vi.fn(),
    dropped: vi.fn(),
    retried: vi.fn(),
    failed: vi.fn(),
  };
  const observer = signals.observing(told);
  const checkpoint = (partition: number, counted: number, backlogRecords: number) =>
    observer.checkpointed({
      pipeline: "delays",
      partition,
      backlogRecords,
      counters: { counted, late: 0, duplicate: 0, dead: 0, ignored: 0, results: 7 },
    } as Checkpointed);
  const recover = (partition: number) => observer.recovered({ pipeline: "delays", partition } as Recovery);
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { signals, told, observer, checkpoint, recover, pass };
}

const task = (partition: number) => ({ pipeline: "delays", partition });

test("each task tells how long what waits will take, by how long it may take", () => {
  const { signals, checkpoint, recover, pass } = watched();
  recover(0);
  recover(1);
  pass(1_000);
  checkpoint(0, 100, 500);
  checkpoint(1, 100, 0);
  expect(signals.signals()).toEqual([
    { stage: "delays", source: "0", topics: ["flights"], load: 0.5, atMs: EPOCH_MS + 1_000 },
    { stage: "delays", source: "1", topics: ["flights"], load: 0, atMs: EPOCH_MS + 1_000 },
  ]);
});

test("a task that went elsewhere, or is parked, says nothing any more", () => {
  const { signals, observer, recover } = watched();
  for (const partition of [0, 1, 2]) recover(partition);
  observer.dropped(task(0), "moved");
  observer.parked(task(1), "missing", "a blob");
  expect(signals.signals().map(({ source }) => source)).toEqual(["2"]);
});

test("whoever observed before is told everything still", () => {
  const { told, observer, checkpoint, recover } = watched();
  recover(0);
  checkpoint(0, 1, 1);
  observer.dropped(task(0), "moved");
  observer.parked(task(0), "missing", "a blob");
  observer.retried(task(0), "write", new Error());
  observer.failed(task(0), new Error());
  for (const call of Object.values(told)) expect(call).toHaveBeenCalledOnce();
});
