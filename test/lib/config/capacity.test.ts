/** What docs/ingestion.md says a load needs is what is calculated. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { connectWindowMs, ingestNeed } from "../../../lib/config/capacity.ts";
import { environmentConfig } from "../../../lib/config/environments.ts";

const page = readFileSync(new URL("../../../docs/ingestion.md", import.meta.url), "utf8");
const ROW = /^\| ([\d,]+) \| ([\d,]+) \| (\d+) \| ([\d,]+) \| (\d+) \| ([\d.]+) \| (\d+) \|$/gm;

test("the table of docs/ingestion.md is what is calculated", () => {
  const rows = [...page.matchAll(ROW)].map((row) =>
    row.slice(1).map((cell) => Number(cell.replaceAll(",", ""))),
  );
  expect(rows.map(([eventsPerRequest]) => eventsPerRequest)).toEqual([1, 25, 500]);
  for (const [eventsPerRequest, requests, requestMs, environments, seconds, mib, shards] of rows) {
    const need = ingestNeed({
      eventsPerSecond: 250_000,
      eventBytes: 256,
      eventsPerRequest: eventsPerRequest!,
      requestMs: requestMs!,
    });
    expect({ ...need, spilledMibPerSecond: Number(need.spilledMibPerSecond.toFixed(1)) }).toEqual({
      requestsPerSecond: requests,
      concurrency: environments,
      scaleUpSeconds: seconds,
      spilledMibPerSecond: mib,
      spillwayShards: shards,
    });
  }
});

test.each([
  [1, "kafka.t3.small", 250],
  [40, "kafka.t3.small", 10_000],
  [40, "kafka.m7g.large", 400],
  [3_000, "kafka.m7g.large", 10_000],
])("%d environments connect to %s over %d ms", (reservedConcurrency, instanceType, windowMs) => {
  const { ingest, kafka } = environmentConfig("dev");
  expect(
    connectWindowMs({ ingest: { ...ingest, reservedConcurrency }, kafka: { ...kafka, instanceType } }),
  ).toBe(windowMs);
});
