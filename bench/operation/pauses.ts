/** How long a processor's main thread stands still: while rows come in, and while the windows of all of them close at once. */
import { setTimeout as delay } from "node:timers/promises";
import type { WindowCase } from "../streams/windows.ts";
import { closingCases } from "./cases.ts";
import { filled, type Measurement, Run, until } from "./measurement.ts";
import { probed } from "./processor.ts";
import { figure, type PartReport, whole } from "./report.ts";
import {
  type StandingStill,
  standingStill,
  standingStillCells,
  standingStillHeads,
  standingStillTarget,
} from "./standing-still.ts";

/** The probe tells once a second. */
const PROBE_MS = 1_100;
/** Of the rows, those that come in while code is compiled. */
const COLD_SHARE = 0.1;

interface Closing {
  readonly windows: number;
  /** From the first commit on; null where all was read by then. */
  readonly filling: StandingStill | null;
  readonly closing: StandingStill;
  /** From the event that closes them to the last result, read as committed. */
  readonly closedS: number;
  /** Processor time of the process in it. */
  readonly closedCpuS: number;
}

export async function measurePauses(measurement: Measurement): Promise<PartReport> {
  const closings: Closing[] = [];
  for (const each of closingCases) closings.push(await measure(each, measurement));
  const phases = closings.flatMap(({ windows, filling, closing }) => [
    ...(filling === null ? [] : [{ what: `${whole(windows)} rows come in`, still: filling }]),
    { what: `${whole(windows)} windows close`, still: closing },
  ]);
  return {
    title: "Standing still",
    text:
      "Rows come in as fast as the processor takes them; then one event a partition closes the windows of all of them. " +
      "p99: how long an event that comes at any moment waits at most for the main thread to look up again, of 99 % of the " +
      "moments. In CPU: a pause as long as the thread's processor time in it, which others' work does not lengthen. " +
      "GC: the garbage collector's pauses. While windows close, events wait for the last of their partition's results, " +
      "since these are of the time before them (docs/design.md, section 4, rule 2): that takes what the second table says, " +
      "with heartbeats, other partitions and checkpoints going on.",
    tables: [
      {
        heads: ["", ...standingStillHeads],
        rows: phases.map(({ what, still }) => [what, ...standingStillCells(still)]),
      },
      {
        heads: ["windows", "from the closing event to the last committed result, s", "CPU-s"],
        rows: closings.map(({ windows, closedS, closedCpuS }) => [
          whole(windows),
          figure(closedS),
          figure(closedCpuS),
        ]),
      },
    ],
    targets: phases.map(({ what, still }) => standingStillTarget(what, still)),
    data: closings,
  };
}

async function measure(windowCase: WindowCase, measurement: Measurement): Promise<Closing> {
  const { platform, bundle, signal, say } = measurement;
  const { stream } = windowCase;
  const windows = stream.keys;
  await filled(measurement, stream, windows);
  const run = await Run.open(measurement, probed(bundle, platform), windowCase);
  try {
    const processor = run.start();
    const { child } = processor;
    await run.untilCommitted(windows * COLD_SHARE);
    // What it did to start is no standing still.
    await delay(PROBE_MS, undefined, { signal });
    const isRead = (await run.committed()) === windows;
    processor.takeWatched();
    await run.untilCaughtUp();
    await delay(PROBE_MS, undefined, { signal });
    const filling = isRead ? null : standingStill(processor.takeWatched());
    processor.takeWatched();
    let results = 0;
    const follower = await platform.broker.follow({
      topic: run.resultsTopic,
      from: "start",
      onMessages: (messages) => {
        results += messages.length;
      },
    });
    const [closedMs, fromCpuS] = [performance.now(), child.cpuS()];
    await platform.broker.appendClosing(stream.topic, windows, 0);
    await until(`results of ${windowCase.title}`, () => results >= windows || child.hasEnded, signal);
    if (child.hasEnded) throw new Error(child.failure);
    const [closedS, closedCpuS] = [(performance.now() - closedMs) / 1_000, child.cpuS() - fromCpuS];
    await delay(PROBE_MS, undefined, { signal });
    await follower.stop();
    const closing = standingStill(processor.takeWatched());
    say(
      `${windowCase.title}: closed within ${figure(closedS)} s, p99 ${figure(closing.ownWaitP99Ms)} CPU-ms`,
    );
    return { windows, filling, closing, closedS, closedCpuS };
  } finally {
    await run.close();
  }
}
