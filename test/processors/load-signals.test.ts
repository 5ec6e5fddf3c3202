import { expect, test } from "vitest";
import type { TaskVitals } from "../../processors/engine/worker/ports.ts";
import { LoadSignals } from "../../processors/load-signals.ts";

const EPOCH_MS = 1_000_000;

function watched() {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, epochMs: () => EPOCH_MS + nowMs };
  const signals = new LoadSignals(clock, new Map([["delays", ["flights"]]]));
  /** A look at the tasks, five seconds after the last one. */
  const look = (...tasks: readonly TaskVitals[]) => {
    nowMs += 5_000;
    return signals.signals(tasks);
  };
  return { look };
}

const task = (run: object, partition: number, records: number, backlogRecords: number): TaskVitals => ({
  pipeline: "delays",
  partition,
  run,
  busyMs: 0,
  records,
  backlogRecords,
  lastArrivalMs: null,
  watermarkMs: 0,
  uncommittedMs: 0,
});

test("each task tells how long what waits will take, by how long it may take", () => {
  const { look } = watched();
  const [busy, idle] = [{}, {}];
  look(task(busy, 0, 0, 0), task(idle, 1, 0, 0));

  // 100 records a second, and what waits takes 5 s of 10.
  expect(look(task(busy, 0, 500, 500), task(idle, 1, 0, 0))).toEqual([
    { stage: "delays", source: "0", topics: ["flights"], load: 0.5, atMs: EPOCH_MS + 10_000 },
    { stage: "delays", source: "1", topics: ["flights"], load: 0, atMs: EPOCH_MS + 10_000 },
  ]);
});

test("a task that went elsewhere, or is parked, says nothing any more", () => {
  const { look } = watched();
  const [stays, goes] = [{}, {}];
  look(task(stays, 0, 0, 0), task(goes, 1, 0, 0));

  expect(look(task(stays, 0, 10, 10)).map(({ source }) => source)).toEqual(["0"]);
});

test("a task that is run anew, and counts from 0 again, has no pace before it is looked at twice", () => {
  const { look } = watched();
  const [first, second] = [{}, {}];
  look(task(first, 0, 1_000, 0));

  expect(look(task(second, 0, 0, 100))).toEqual([]);
  expect(look(task(second, 0, 500, 100))).toMatchObject([{ source: "0", load: 0.1 }]);
});

test("a task that clears nothing of what waits is as loaded as can be said", () => {
  const { look } = watched();
  const run = {};
  look(task(run, 0, 0, 0));

  expect(look(task(run, 0, 0, 100))).toMatchObject([{ load: 99 }]);
});

test("an idle task says so at once, and then every twenty seconds", () => {
  const { look } = watched();
  const run = {};
  look(task(run, 0, 0, 0));
  const said = (records: number, backlogRecords: number): number =>
    look(task(run, 0, records, backlogRecords)).length;

  expect(said(0, 0)).toBe(1);
  expect([said(0, 0), said(0, 0), said(0, 0), said(0, 0)]).toEqual([0, 0, 0, 1]);
  // What it says of work that waits is never held back, nor the first word that there is none.
  expect([said(10, 5), said(20, 5), said(25, 0), said(25, 0)]).toEqual([1, 1, 1, 0]);
});
