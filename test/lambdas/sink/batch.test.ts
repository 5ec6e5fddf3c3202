import { describe, expect, it } from "vitest";
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import { resultPartitionKey, resultSortKey } from "../../../contracts/results.ts";
import { readBatch } from "../../../lambdas/sink/batch.ts";
import { atHour, DAY_START_MS, delivery, HOUR_MS, mskRecord, result } from "../support/result-records.ts";

const version = (checkpoint: number, index = 0) => ({ generation: 1, checkpoint, index });

describe("reading a batch", () => {
  it("keeps one result per item, the one with the highest version", () => {
    const records = [version(9), version(10), version(10), version(2)].map((v, revision) =>
      mskRecord({ ...result, revision: revision + 1, version: v }),
    );
    const batch = readBatch(delivery([...records, mskRecord(atHour(1))]));
    expect(batch.newest.map((stored) => stored.result.version.checkpoint)).toEqual([10, 7]);
    expect(batch.superseded).toBe(3);
    expect(batch.undecodable).toEqual([]);
  });

  it("keys an item by pipeline, key, day and window", () => {
    const [stored] = readBatch(delivery([mskRecord(result)])).newest;
    expect(stored).toMatchObject({
      partitionKey: resultPartitionKey("airport-delays", "ATL", DAY_START_MS),
      sortKey: resultSortKey(DAY_START_MS, DAY_START_MS + HOUR_MS),
    });
    expect(stored!.partitionKey).toBe("airport-delays#ATL#2001-01-31");
  });

  it("takes a retraction, which has no value, in the place of what it takes back", () => {
    const retraction = { ...result, kind: "retract", value: null, version: version(11) };
    const batch = readBatch(delivery([mskRecord(result), mskRecord(retraction)]));
    expect(batch.newest).toMatchObject([{ result: { kind: "retract" } }]);
    expect(batch.undecodable).toEqual([]);
  });

  it("keeps every pane of a window where each is a row of its own", () => {
    const panes = [1, 2, 11].map((pane) => mskRecord({ ...result, pane, version: version(pane) }));
    const keys = readBatch(delivery(panes)).newest.map(({ sortKey }) => sortKey);
    expect(new Set(keys).size).toBe(3);
    expect([...keys].sort()).toEqual(keys);
  });

  it("reads the batches of all partitions", () => {
    const event = delivery([mskRecord(result)]);
    const records = { ...event.records, "airport-delays.results-1": [mskRecord(atHour(1))] };
    expect(readBatch({ ...event, records }).newest).toHaveLength(2);
  });

  it("passes over watermarks", () => {
    const headers = [{ [WATERMARK_HEADER]: [...Buffer.from("1")] }] as never;
    const watermark = mskRecord(null, { key: undefined as never, value: undefined as never, headers });
    expect(readBatch(delivery([watermark]))).toEqual({
      results: [],
      newest: [],
      undecodable: [],
      superseded: 0,
    });
  });
});

const invalid: [what: string, value: unknown][] = [
  ["nothing", Buffer.alloc(0)],
  ["invalid JSON", Buffer.from("{")],
  ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ["no object", []],
  ["another kind", { ...result, kind: "guess" }],
  ["another pipeline's result", { ...result, pipeline: "others" }],
  ["no key", { ...result, key: undefined }],
  ["a window without end", { ...result, window: { start: 0 } }],
  ["a window that ends as it starts", { ...result, window: { start: 5, end: 5 } }],
  ["a window beyond all dates", { ...result, window: { start: 9e15, end: 9.1e15 } }],
  ["a value that is no object", { ...result, value: 3 }],
  ["a result without a value", { ...result, value: null }],
  ["a pane that is no number from 1", { ...result, pane: 0 }],
  ["revision 0", { ...result, revision: 0 }],
  ["no version", { ...result, version: undefined }],
  ["a version beyond its digits", { ...result, version: { generation: 1_000_000, checkpoint: 0, index: 0 } }],
];

describe("a record that is no result", () => {
  it.each(invalid)("is refused: %s", (_, value) => {
    const batch = readBatch(delivery([mskRecord(value), mskRecord(result)]));
    expect(batch.newest).toHaveLength(1);
    expect(batch.undecodable).toMatchObject([{ reason: "undecodable", record: { offset: 0 } }]);
  });
});
