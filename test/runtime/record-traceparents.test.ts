import type { MSKEvent } from "aws-lambda";
import { expect, it, vi } from "vitest";
import { traceparentsOf } from "../../runtime/record-traceparents.ts";
import { nothingRecorded, within } from "../../runtime/tracing.ts";

const bytes = (text: string): number[] => [...Buffer.from(text)];

it("finds the trace contexts of a mapping's records, whichever header they are, and none where there are none", () => {
  const event = {
    records: {
      "results-0": [{ headers: [{ other: bytes("x") }, { traceparent: bytes("00-a") }] }, { headers: [] }],
      "results-1": [{ headers: [{ traceparent: bytes("00-b") }] }],
    },
  } as unknown as MSKEvent;
  expect([...traceparentsOf(event)]).toEqual(["00-a", "00-b"]);
});

it("looks at no record where nothing is recorded", () => {
  const event = {
    get records(): never {
      throw new Error("looked at");
    },
  } as unknown as MSKEvent;
  expect(nothingRecorded.continue("sink", traceparentsOf(event))).toBeUndefined();
});

it("ends a batch's span with what came of it, or with why nothing did, which goes on to the caller", async () => {
  const span = { traceparent: "", end: vi.fn(), fail: vi.fn() };
  expect(
    await within(
      span,
      async () => 2,
      (stored) => ({ stored }),
    ),
  ).toBe(2);
  expect(span.end).toHaveBeenCalledExactlyOnceWith({ stored: 2 });
  const away = new Error("away");
  await expect(
    within(
      span,
      () => Promise.reject(away),
      () => ({}),
    ),
  ).rejects.toBe(away);
  expect(span.fail).toHaveBeenCalledExactlyOnceWith(away);
});
