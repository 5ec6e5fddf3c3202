import { describe, expect, test } from "vitest";
import type { RecordBatch } from "../../../../processors/engine/log/port.ts";
import type { Cut } from "../../../../processors/engine/task/cut.ts";
import { CarriedTraces, traced } from "../../../../processors/engine/worker/carried-traces.ts";

const task = { pipeline: "p", partition: 0 };
const id = (index: number): string => (index + 1).toString(16).padStart(32, "0");
const sampled = (index: number): string => `00-${id(index)}-b7ad6b7169203331-01`;
const unsampled = (index: number): string => `00-${id(index)}-b7ad6b7169203331-00`;

/** Of records with these trace contexts; `looks` counts what was asked of it. */
function batchOf(traceparents: readonly (string | undefined)[]) {
  const looks: number[] = [];
  const header = (index: number, name: string): string | undefined => {
    looks.push(index);
    return name === "traceparent" ? traceparents[index] : undefined;
  };
  return { batch: { header, count: traceparents.length } as unknown as RecordBatch, looks };
}

function carried() {
  const begun: (readonly string[])[] = [];
  const span = { traceparent: sampled(99), committed: () => undefined };
  const traces = new CarriedTraces((_task, traceparents) => {
    begun.push(traceparents);
    return span;
  });
  return { traces, begun, span };
}

describe("the traces of a checkpoint", () => {
  test("are those of its records that are sampled, each once", () => {
    const { traces, begun, span } = carried();
    const { batch } = batchOf([
      sampled(1),
      sampled(1),
      undefined,
      unsampled(2),
      "nonsense",
      sampled(3),
      sampled(1),
    ]);
    traces.applied(batch, 0, 3);
    traces.applied(batch, 3, 7);
    expect(traces.cut(task)).toBe(span);
    expect(begun).toEqual([[sampled(1), sampled(3)]]);
  });

  test("are those of the slices that it holds, and not of what was cut or forgotten before", () => {
    const { traces, begun } = carried();
    const { batch } = batchOf([sampled(1), sampled(2), sampled(3)]);
    traces.applied(batch, 0, 1);
    traces.cut(task);
    traces.applied(batch, 1, 2);
    traces.forget();
    traces.applied(batch, 2, 3);
    traces.cut(task);
    expect(begun).toEqual([[sampled(1)], [sampled(3)]]);
  });

  test("are no span where no record is sampled", () => {
    const { traces, begun } = carried();
    traces.applied(batchOf([undefined, unsampled(1)]).batch, 0, 2);
    expect(traces.cut(task)).toBeUndefined();
    expect(begun).toEqual([]);
  });

  test("are bounded, and once there are enough no further record is asked", () => {
    const { traces, begun } = carried();
    const { batch, looks } = batchOf(Array.from({ length: 100 }, (_, index) => sampled(index)));
    traces.applied(batch, 0, 100);
    traces.cut(task);
    expect(begun[0]).toHaveLength(32);
    expect(looks).toHaveLength(32);
  });

  test("are not looked for where nobody records any", () => {
    const { batch, looks } = batchOf([sampled(1)]);
    const traces = new CarriedTraces(undefined);
    traces.applied(batch, 0, 1);
    expect(traces.cut(task)).toBeUndefined();
    expect(looks).toEqual([]);
  });
});

describe("what a checkpoint writes", () => {
  const own = { topic: "results.p", key: null, value: null, headers: {} };
  const letter = { topic: "dead-letters", key: null, value: null, headers: { traceparent: sampled(1) } };
  const cut = { number: 1, outputs: [own, letter] } as unknown as Cut;

  test("comes from its span, but for what is passed on of one record", () => {
    const { span } = carried();
    expect(traced(cut, span).outputs).toEqual([{ ...own, headers: { traceparent: sampled(99) } }, letter]);
  });

  test("is as it was without one", () => {
    expect(traced(cut, undefined)).toBe(cut);
  });
});
