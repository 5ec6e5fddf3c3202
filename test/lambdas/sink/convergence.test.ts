/** However records are delivered, every item ends in its highest version. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type ResultRecord, versionText } from "../../../contracts/results.ts";
import { type Progress, parseServedSeries } from "../../../contracts/served-series.ts";
import type { StoredResult } from "../../../lambdas/sink/batch.ts";
import type { PartitionProgress } from "../../../lambdas/sink/progress.ts";
import { type SinkPorts, sink } from "../../../lambdas/sink/sink.ts";
import type { ResultsTable, WriteOutcome } from "../../../lambdas/sink/table.ts";
import { TableUnavailableError } from "../../../runtime/errors.ts";
import { atHour, delivery, mskRecord } from "../support/result-records.ts";

/** The table's conditional put, in memory; it fails whenever the next of `failures` is true, before or after it. */
class ModelTable implements ResultsTable {
  readonly items = new Map<string, StoredResult>();
  progress: Progress = { generation: 0, endMs: 0 };
  readonly #failures: Iterator<"before" | "after" | "never">;

  constructor(failures: Iterable<"before" | "after" | "never">) {
    this.#failures = failures[Symbol.iterator]();
  }

  async write(result: StoredResult): Promise<WriteOutcome> {
    const failure = this.#failures.next().value ?? "never";
    if (failure === "before") throw new TableUnavailableError("throttled", "wait");
    const item = `${result.partitionKey} ${result.sortKey}`;
    const held = this.items.get(item);
    const newer = held === undefined || held.version < result.version;
    if (newer) this.items.set(item, result);
    if (failure === "after") throw new TableUnavailableError("the answer was lost", "wait");
    return { kind: newer ? "stored" : "superseded" };
  }

  async advance({ generation, endMs }: PartitionProgress): Promise<void> {
    const { progress } = this;
    const ahead = generation - progress.generation || endMs - progress.endMs;
    if (ahead > 0) this.progress = { generation, endMs };
  }
}

/** The mapping delivers a batch until it is taken. */
async function deliver(batch: readonly ResultRecord[], ports: SinkPorts): Promise<void> {
  const event = delivery(batch.map((record) => mskRecord(record)));
  for (;;) {
    try {
      await sink(event, () => 10_000, ports);
      return;
    } catch (error) {
      if (!(error instanceof TableUnavailableError)) throw error;
    }
  }
}

const records = fc.array(
  fc.record({
    hour: fc.integer({ min: 0, max: 3 }),
    kind: fc.constantFrom("result" as const, "retract" as const),
    generation: fc.integer({ min: 1, max: 11 }),
    checkpoint: fc.integer({ min: 0, max: 120 }),
    index: fc.integer({ min: 0, max: 11 }),
  }),
  { minLength: 1, maxLength: 30 },
);

const resultOf = ({
  hour,
  kind,
  ...version
}: { hour: number; kind: "result" | "retract" } & ResultRecord["version"]) => atHour(hour, { kind, version });

it("ends in the highest version after uncommitted, aborted, duplicated and reordered deliveries", async () => {
  await fc.assert(
    fc.asyncProperty(
      records.chain((written) =>
        fc.record({
          written: fc.constant(written),
          // What is delivered: all of it, some of it again, in any order and in batches of any size.
          repeated: fc.subarray(written),
          order: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
          batchSize: fc.integer({ min: 1, max: 20 }),
          failures: fc.array(fc.constantFrom("before" as const, "after" as const, "never" as const)),
        }),
      ),
      async ({ written, repeated, order, batchSize, failures }) => {
        const delivered = [...written, ...repeated]
          .map((record, index) => ({ record: resultOf(record), at: order[index]! }))
          .sort((a, b) => a.at - b.at)
          .map(({ record }) => record);
        const table = new ModelTable(failures);
        const series = parseServedSeries("airport-delays:private::4:3600001");
        const ports = {
          series,
          table,
          deadLetters: { send: () => Promise.reject(new Error("nothing is refused")) },
        };
        for (let start = 0; start < delivered.length; start += batchSize) {
          await deliver(delivered.slice(start, start + batchSize), ports);
        }
        const ended = [...table.items.values()].map(({ result, version }) => [result.window.start, version]);
        expect(table.progress).toEqual(furthest(written.map(resultOf)));
        expect(Object.fromEntries(ended)).toEqual(highestVersions(written.map(resultOf)));
      },
    ),
    { numRuns: 300 },
  );
});

/** Computed by numbers, not by text: the order of version texts is part of what is tested. */
function highestVersions(written: readonly ResultRecord[]): Record<string, string> {
  const highest = new Map<number, ResultRecord["version"]>();
  for (const { window, version } of written) {
    const held = highest.get(window.start);
    if (held === undefined || isHigher(version, held)) highest.set(window.start, version);
  }
  return Object.fromEntries([...highest].map(([start, version]) => [start, versionText(version)]));
}

/** The highest end of a window among the results of the newest generation that has any. */
function furthest(written: readonly ResultRecord[]): Progress {
  const results = written.filter(({ kind }) => kind === "result");
  const generation = Math.max(0, ...results.map(({ version }) => version.generation));
  const newest = results.filter(({ version }) => version.generation === generation);
  return { generation, endMs: Math.max(0, ...newest.map(({ window }) => window.end)) };
}

function isHigher(a: ResultRecord["version"], b: ResultRecord["version"]): boolean {
  if (a.generation !== b.generation) return a.generation > b.generation;
  if (a.checkpoint !== b.checkpoint) return a.checkpoint > b.checkpoint;
  return a.index > b.index;
}
