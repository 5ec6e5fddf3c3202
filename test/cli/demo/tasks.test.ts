/** The tasks' own counters, summed over their manifests, against what must have come of the log. */
import { expect, test } from "vitest";
import { compareCounters } from "../../../cli/demo/tasks.ts";
import { MANIFEST_FORMAT, type Manifest } from "../../../processors/engine/checkpoint/manifest.ts";

function manifest(partition: number, counters: Partial<Manifest["counters"]>): Manifest {
  return {
    format: MANIFEST_FORMAT,
    pipeline: "airport-delays",
    partition,
    partitions: 2,
    generation: 0,
    number: 1,
    parent: null,
    base: { name: "base", bytes: 1, sha256: "" },
    deltas: [],
    outputs: null,
    offsets: [{ topic: "flights", offset: 10 }],
    watermarkMs: 0,
    counters: { counted: 0, late: 0, duplicate: 0, dead: 0, ignored: 0, results: 0, ...counters },
    firing: false,
  };
}

const expected = { counted: 12, late: 3, duplicate: 1, windows: 5 };

test("counters are summed over the tasks", () => {
  const manifests = [
    manifest(0, { counted: 10, late: 3, results: 4 }),
    manifest(1, { counted: 2, duplicate: 1, results: 1 }),
  ];

  expect(compareCounters(manifests, expected)).toEqual({ count: 0, examples: [] });
});

test("each counter that differs is named with both numbers", () => {
  const manifests = [manifest(0, { counted: 11, late: 3, duplicate: 1, dead: 1, results: 5 })];

  expect(compareCounters(manifests, expected)).toEqual({
    count: 2,
    examples: ["the tasks count 11 counted; it must be 12", "the tasks count 1 dead; it must be 0"],
  });
});
