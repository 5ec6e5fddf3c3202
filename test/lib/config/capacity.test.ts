/** What docs/ingestion.md says a load needs is what is calculated. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ingestNeed } from "../../../lib/config/capacity.ts";

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
