/** What a checkpoint costs, by the rows that are held and by those that changed. */

import { environmentVariables } from "../../contracts/environment.ts";
import { median } from "../median.ts";
import { ROWS_TOPIC } from "./cases.ts";
import type { CheckpointFigures, CheckpointOptions, CheckpointOutcome } from "./checkpoint-child.ts";
import { outcomeOf } from "./child.ts";
import type { Measurement } from "./measurement.ts";
import { percentile } from "./percentiles.ts";
import { figure, type PartReport, whole } from "./report.ts";
import { type Spent, sumOf } from "./task-at-work.ts";

/** Two compactions' worth of deltas. */
const CHECKPOINTS = 70;
const FEW: CheckpointOptions = { rows: 10_000, dirty: 1_000, checkpoints: CHECKPOINTS };
const MANY: CheckpointOptions = { rows: 1_000_000, dirty: 1_000, checkpoints: CHECKPOINTS };
/** Fewer, as each takes long: their p99 is the longest of them. */
const BUSY: CheckpointOptions = { rows: 1_000_000, dirty: 100_000, checkpoints: 30 };
const MOST_TIMES = 3;
const MOST_MS = 1_000;
const LEAST_ROWS_PER_S = 1_000_000;
/** The first ones run code that is not compiled yet. */
const COLD = 5;

interface Costs {
  readonly options: CheckpointOptions;
  /** Medians; CPU of the whole process. */
  readonly bytes: number;
  readonly cutCpuMs: number;
  readonly writeCpuMs: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestCutMs: number;
  /** Of all compactions, for each checkpoint. */
  readonly compactCpuMs: number;
  readonly load: Spent;
}

export async function measureCheckpoints({ platform, say }: Measurement): Promise<PartReport> {
  await platform.broker.createTopics([ROWS_TOPIC]);
  const { bootstrapServers } = platform.broker;
  const env = { ...platform.env, [environmentVariables.bootstrapServers]: bootstrapServers };
  const costs: Costs[] = [];
  for (const options of [FEW, MANY, BUSY]) {
    const outcome = await outcomeOf<CheckpointOutcome>("checkpoint-child.ts", options, env);
    costs.push(costsOf(options, outcome));
    say(`${whole(options.rows)} rows, ${whole(options.dirty)} dirty: ${figure(costs.at(-1)!.cpuMs)} CPU-ms`);
  }
  return reportOf(costs as [Costs, Costs, Costs]);
}

function costsOf(options: CheckpointOptions, { checkpoints, load }: CheckpointOutcome): Costs {
  const warm = checkpoints.slice(COLD);
  const of = (value: (figures: CheckpointFigures) => number): number => median(warm.map(value));
  const wallsMs = warm.map((each) => stepsOf(each).wallMs);
  return {
    options,
    bytes: of(({ bytes }) => bytes),
    cutCpuMs: of(({ cut }) => cut.cpuMs),
    writeCpuMs: of(({ write }) => write.cpuMs),
    cpuMs: of((each) => stepsOf(each).cpuMs),
    p50Ms: median(wallsMs),
    p99Ms: percentile(wallsMs, 0.99)!,
    longestCutMs: Math.max(...warm.map(({ cut }) => cut.wallMs)),
    compactCpuMs: sumOf(checkpoints.map(({ compact }) => compact)).cpuMs / checkpoints.length,
    load,
  };
}

const stepsOf = ({ cut, write, register, commit }: CheckpointFigures): Spent =>
  sumOf([cut, write, register, commit]);

function reportOf([few, many, busy]: readonly [Costs, Costs, Costs]): PartReport {
  const times = many.cpuMs / few.cpuMs;
  const withCompaction = (many.cpuMs + many.compactCpuMs) / (few.cpuMs + few.compactCpuMs);
  const rowsPerS = (many.options.rows * 1_000) / many.load.cpuMs;
  return {
    title: "Checkpoints",
    text:
      "One task in a process, with the adapters of the processor: the emulators of DynamoDB and S3, and a transaction in " +
      `Kafka (a base of more than 10 MiB stays in memory, as the emulator takes no more). ${CHECKPOINTS} checkpoints each, ${BUSY.checkpoints} where 100,000 rows change, the first ${COLD} left out; medians. The cut encodes what changed, and the ` +
      "thread of the events does nothing else meanwhile; writing hashes and stores it, and goes on beside the events. " +
      "Compaction makes one base of a chain of deltas, in a thread of its own, and costs what the state has: its processor " +
      "time is told for each checkpoint.",
    tables: [
      {
        heads: [
          "rows held",
          "rows changed",
          "bytes",
          "cut, CPU-ms",
          "write, CPU-ms",
          "all, CPU-ms",
          "p50, ms",
          "p99, ms",
          "longest cut, ms",
          "compaction, CPU-ms",
        ],
        rows: [few, many, busy].map((each) => [
          whole(each.options.rows),
          whole(each.options.dirty),
          whole(each.bytes),
          ...[each.cutCpuMs, each.writeCpuMs, each.cpuMs, each.p50Ms, each.p99Ms, each.longestCutMs].map(
            figure,
          ),
          figure(each.compactCpuMs),
        ]),
      },
    ],
    targets: [
      {
        what: "CPU of a checkpoint, 1 M rows / 10 k rows, 1,000 changed",
        target: `≤ ${MOST_TIMES}`,
        measured: `${figure(times)}; with compaction ${figure(withCompaction)}`,
        holds: times <= MOST_TIMES,
      },
      {
        what: "checkpoint of 100 k changed rows, p99",
        target: `≤ ${MOST_MS} ms`,
        measured: `${whole(busy.p99Ms)} ms`,
        holds: busy.p99Ms <= MOST_MS,
      },
      {
        what: "rows loaded for each CPU-second",
        target: `≥ ${whole(LEAST_ROWS_PER_S)}`,
        measured: whole(rowsPerS),
        holds: rowsPerS >= LEAST_ROWS_PER_S,
      },
    ],
    data: [few, many, busy],
  };
}
