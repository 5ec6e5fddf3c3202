/** What an event costs, by the rows that the process holds. */
import { outcomeOf } from "./child.ts";
import type { Measurement } from "./measurement.ts";
import { figure, type PartReport, whole } from "./report.ts";
import type { StateOptions, StateOutcome } from "./state-child.ts";

const ROWS = [10_000, 100_000, 1_000_000, 10_000_000];
/** So that none holds more than a task may (`maxEntriesPerTask`, 2 M). */
const TASKS = 8;
/** What one process may take on, every second. */
const EVENTS_PER_CHECKPOINT = 50_000;
/** One more than the deltas after which a chain is compacted. */
const CHECKPOINTS = 33;
const LEAST_SHARE = 0.7;

interface Cost {
  readonly rows: number;
  readonly outcome: StateOutcome;
  readonly peakRssMib: number;
  /** Events for each CPU-second: of applying and checkpoints; and of these and compaction. */
  readonly perCpuS: number;
  readonly perCpuSCompacted: number;
}

export async function measureState({ say, signal }: Measurement): Promise<PartReport> {
  const costs: Cost[] = [];
  for (const rows of ROWS) {
    signal.throwIfAborted();
    costs.push(await measure(rows));
    say(`${whole(rows)} rows: ${whole(costs.at(-1)!.perCpuSCompacted)} events/CPU-s`);
  }
  const [few, many] = [costs[0]!, costs.at(-1)!];
  const share = many.perCpuSCompacted / few.perCpuSCompacted;
  return {
    title: "Cost by the rows held",
    text:
      `${TASKS} tasks in a process, tumbling windows that stay open, events of random keys, ${CHECKPOINTS} checkpoints of ` +
      `${whole(EVENTS_PER_CHECKPOINT)} events. Parsing, the task, checkpoints and compaction; without Kafka and the stores, ` +
      "which cost the same for any number of rows, so that the process as a whole loses less than this says.",
    tables: [
      {
        heads: ["rows", "events/CPU-s", "of 10 k's", "with compaction", "of 10 k's", "peak RSS, MiB"],
        rows: costs.map(({ rows, perCpuS, perCpuSCompacted, peakRssMib }) => [
          whole(rows),
          whole(perCpuS),
          figure(perCpuS / few.perCpuS),
          whole(perCpuSCompacted),
          figure(perCpuSCompacted / few.perCpuSCompacted),
          whole(peakRssMib),
        ]),
      },
    ],
    targets: [
      {
        what: "events/CPU-s at 10 M rows / at 10 k rows",
        target: `≥ ${LEAST_SHARE}`,
        measured: `${figure(share)}; without compaction ${figure(many.perCpuS / few.perCpuS)}`,
        holds: share >= LEAST_SHARE,
      },
    ],
    data: costs,
  };
}

async function measure(rows: number): Promise<Cost> {
  const options: StateOptions = {
    rows,
    tasks: TASKS,
    eventsPerCheckpoint: EVENTS_PER_CHECKPOINT,
    checkpoints: CHECKPOINTS,
  };
  const { peakRssMib, ...outcome } = await outcomeOf<StateOutcome>("state-child.ts", options);
  const { events, apply, checkpoint, compact } = outcome;
  const perCpuS = (cpuMs: number): number => (events * 1_000) / cpuMs;
  const cpuMs = apply.cpuMs + checkpoint.cpuMs;
  return {
    rows,
    outcome,
    peakRssMib,
    perCpuS: perCpuS(cpuMs),
    perCpuSCompacted: perCpuS(cpuMs + compact.cpuMs),
  };
}
