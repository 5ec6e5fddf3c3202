import { expect, it } from "vitest";
import { resultPartitionKey } from "../../contracts/results.ts";
import {
  formatServedSeries,
  isClosed,
  parseServedSeries,
  progressKey,
  type ServedSeries,
} from "../../contracts/served-series.ts";

const delays: ServedSeries = {
  name: "delays",
  access: "public",
  notify: false,
  partitions: 4,
  closedAfterMs: 61,
};
const fraud: ServedSeries = {
  name: "fraud.signals",
  access: "private",
  notify: true,
  partitions: 12,
  closedAfterMs: null,
};

it("reads what it wrote, and nothing else", () => {
  expect([...parseServedSeries(formatServedSeries([delays, fraud])).values()]).toEqual([delays, fraud]);
  for (const text of [
    "",
    "delays",
    "delays:everybody::4:",
    "delays:public:true:4:",
    "delays:public::4:1.5",
  ]) {
    expect(() => parseServedSeries(text)).toThrow(TypeError);
  }
});

it("takes a range for closed only once a later result proves it of the last window that may start in it", () => {
  // Windows of 50 ms, 10 ms of lateness: the last may start at 99 and takes events until the watermark is 159.
  const at = (endMs: number): boolean => isClosed(delays, { generation: 1, endMs }, 100);
  expect(at(159)).toBe(false);
  expect(at(160)).toBe(true);
  expect(isClosed(delays, undefined, 100)).toBe(false);
  expect(isClosed(fraud, { generation: 1, endMs: 1e15 }, 100)).toBe(false);
});

it("keys progress by what no result has, whatever its key", () => {
  for (const key of ["", "3", "#3", "#"]) {
    expect(resultPartitionKey("delays", key, 0)).not.toBe(progressKey("delays", 3));
    expect(resultPartitionKey("delays", key, 0).split("#").length).toBeGreaterThan(
      progressKey("delays", 3).split("#").length,
    );
  }
});
