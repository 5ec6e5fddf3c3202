import { describe, expect, it } from "vitest";
import type { InvokeResult } from "../../../local/functions/function.ts";
import { BatchQueue } from "../../../local/mappings/batch-queue.ts";
import {
  type DiscardReason,
  deliverStreamBatch,
  itemFailures,
  type StreamBatchOptions,
  type StreamRecord,
} from "../../../local/mappings/stream-batch.ts";

describe("a batch queue", () => {
  const queue = () =>
    new BatchQueue<number>({ maxRecords: 3, maxBytes: 100, windowMs: 1_000 }, (bytes) => bytes);

  it("is due at once when the count is reached, and keeps the rest", () => {
    const batches = queue();
    batches.push([1, 2, 3, 4], 0);
    expect(batches.dueInMs(0)).toBe(0);
    expect(batches.take(0)).toEqual([1, 2, 3]);
    expect(batches.take(0)).toEqual([4]);
  });

  it("is due at once when the size is reached, and stays below it", () => {
    const batches = queue();
    batches.push([60, 60], 0);
    expect(batches.dueInMs(0)).toBe(0);
    expect(batches.take(0)).toEqual([60]);
  });

  it("gives a record over the size alone", () => {
    const batches = queue();
    batches.push([500, 1], 0);
    expect(batches.take(0)).toEqual([500]);
  });

  it("is due when the oldest record's window is over", () => {
    const batches = queue();
    expect(batches.dueInMs(0)).toBe(Number.POSITIVE_INFINITY);
    batches.push([1], 200);
    batches.push([1], 900);
    expect(batches.dueInMs(900)).toBe(300);
    expect(batches.dueInMs(1_200)).toBe(0);
  });

  it("hands over what is pushed while it waits, and ends with its signal", async () => {
    const batches = queue();
    const abort = new AbortController();
    const next = batches.next(abort.signal);
    batches.push([1, 1, 1], Date.now());
    expect(await next).toEqual([1, 1, 1]);
    const none = batches.next(abort.signal);
    abort.abort();
    expect(await none).toBeUndefined();
  });
});

interface Item extends StreamRecord {
  readonly poison: boolean;
}

const item = (sequenceNumber: string, arrivalMs = 0): Item => ({
  sequenceNumber,
  arrivalMs,
  poison: sequenceNumber.startsWith("x"),
});
const answer: InvokeResult = { kind: "answer", payload: "null" };
const failure: InvokeResult = { kind: "error", error: { errorType: "Error", errorMessage: "no" } };

/** Delivers and returns every invocation's sequence numbers, and what was discarded. */
async function deliver(names: readonly string[], overrides: Partial<StreamBatchOptions<Item>> = {}) {
  const invocations: string[] = [];
  const discarded: [string, DiscardReason, number][] = [];
  const text = (records: readonly Item[]): string => records.map((one) => one.sequenceNumber).join(" ");
  const options: StreamBatchOptions<Item> = {
    invoke: async (records) => (records.some(({ poison }) => poison) ? failure : answer),
    reportsItemFailures: false,
    bisects: false,
    maxRetries: 1,
    maxRecordAgeMs: undefined,
    discard: async (records, reason, attempts) => {
      discarded.push([text(records), reason, attempts]);
    },
    sleep: async () => {},
    nowMs: () => 0,
    ...overrides,
  };
  const { invoke } = options;
  await deliverStreamBatch(
    names.map((name) => item(name)),
    {
      ...options,
      invoke: (records) => {
        invocations.push(text(records));
        return invoke(records);
      },
    },
  );
  return { invocations, discarded };
}

describe("a stream's batch", () => {
  it("is invoked once where it succeeds", async () => {
    expect(await deliver(["a", "b"])).toEqual({ invocations: ["a b"], discarded: [] });
  });

  it("is retried, then discarded", async () => {
    expect(await deliver(["a", "x"])).toEqual({
      invocations: ["a x", "a x"],
      discarded: [["a x", "RetryAttemptsExhausted", 2]],
    });
  });

  it("is halved until the bad record is alone, in order", async () => {
    expect(await deliver(["a", "b", "x", "c"], { bisects: true, maxRetries: 0 })).toEqual({
      invocations: ["a b x c", "a b", "x c", "x", "c"],
      discarded: [["x", "RetryAttemptsExhausted", 1]],
    });
  });

  it("goes on from the first record that the function reports", async () => {
    const reported = await deliver(["a", "x", "b"], {
      reportsItemFailures: true,
      maxRetries: 0,
      invoke: async (records) => ({
        kind: "answer",
        payload: JSON.stringify({
          batchItemFailures: records
            .filter(({ poison }) => poison)
            .map((one) => ({ itemIdentifier: one.sequenceNumber })),
        }),
      }),
    });
    expect(reported).toEqual({
      invocations: ["a x b"],
      discarded: [["x b", "RetryAttemptsExhausted", 1]],
    });
  });

  it("is retried without limit where none is set, and throttling uses up no attempt", async () => {
    const results: InvokeResult[] = [{ kind: "throttled" }, failure, { kind: "throttled" }, answer];
    const { invocations, discarded } = await deliver(["a"], {
      invoke: async () => results.shift() ?? failure,
    });
    expect(invocations).toHaveLength(4);
    expect(discarded).toEqual([]);
  });

  it("loses the records that are too old, and says so", async () => {
    const { invocations, discarded } = await deliver(["a"], { maxRecordAgeMs: 1_000, nowMs: () => 2_000 });
    expect(invocations).toEqual([]);
    expect(discarded).toEqual([["a", "RecordAgeExceeded", 0]]);
  });
});

describe("a partial batch response", () => {
  it.each<[unknown, string[] | undefined]>([
    [null, []],
    [{}, []],
    [{ batchItemFailures: null }, []],
    [{ batchItemFailures: [] }, []],
    [{ batchItemFailures: [{ itemIdentifier: "1" }] }, ["1"]],
    [{ batchItemFailures: [{ itemIdentifier: "" }] }, undefined],
    [{ batchItemFailures: [{ other: 1 }] }, undefined],
    [{ batchItemFailures: "all" }, undefined],
  ])("%j names %j", (response, expected) => {
    expect(itemFailures(JSON.stringify(response))).toEqual(expected);
  });
});
