import { expect, test } from "vitest";
import type { RecordBatch } from "../../../../processors/engine/log/port.ts";
import { WorkRecord } from "../../../../processors/engine/worker/work-record.ts";

function record(maxSteps = 8) {
  let nowMs = 0;
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { work: new WorkRecord({ nowMs: () => nowMs }, maxSteps), pass };
}

/** Record n arrived at n × 10 ms. */
const batch = { arrivalMs: (index: number) => index * 10 } as RecordBatch;

test("a slice that took long makes the next one half as large, a short one twice, within its bounds", () => {
  const { work, pass } = record(8);
  const steps = (ms: number) =>
    work.slice((maxSteps) => {
      pass(ms);
      return maxSteps;
    });

  expect([51, 51, 51, 51, 50, 1, 1, 1].map(steps)).toEqual([8, 4, 2, 1, 1, 2, 4, 8]);
  expect(work.busyMs).toBe(257);
});

test("a cut gives the slices since the last one, each with the arrival of its first record", () => {
  const { work } = record();
  work.applied(batch, 0, 3);
  work.applied(batch, 3, 4);

  expect(work.cut()).toEqual([
    { records: 3, arrivalMs: 0 },
    { records: 1, arrivalMs: 30 },
  ]);
  expect(work.cut()).toEqual([]);
  expect([work.records, work.lastArrivalMs]).toEqual([4, 30]);
});

test("what is not committed ages from its first record on, through the cut and until the commit", () => {
  const { work, pass } = record();
  expect(work.uncommittedMs).toBe(0);
  work.applied(batch, 0, 1);
  pass(100);
  work.cut();
  pass(10);
  work.applied(batch, 1, 2);
  pass(1);
  expect(work.uncommittedMs).toBe(111);
  work.committed();
  expect(work.uncommittedMs).toBe(1);
  work.forget();
  expect(work.uncommittedMs).toBe(0);
  expect(work.cut()).toEqual([]);
});
