/** How long a processor's main thread stands still: while rows come in, and while the windows of all of them close at once. */
import { setTimeout as delay } from "node:timers/promises";
import type { WindowCase } from "../streams/windows.ts";
import { closingCases } from "./cases.ts";
import { filled, type Measurement, Run, until } from "./measurement.ts";
import { probed } from "./processor.ts";
import { figure, type PartReport, whole } from "./report.ts";
import {
  MAX_PAUSE_MS,
  type StandingStill,
  standingStill,
  standingStillCells,
  standingStillHeads,
} from "./standing-still.ts";

/** The probe tells once a second. */
const PROBE_MS = 1_100;

interface Closing {
  readonly windows: number;
  readonly filling: StandingStill;
  readonly closing: StandingStill;
  /** From the event that closes them to the last result, read as committed. */
  readonly closedS: number;
}

export async function measurePauses(measurement: Measurement): Promise<PartReport> {
  const closings: Closing[] = [];
  for (const each of closingCases) closings.push(await measure(each, measurement));
  const phases = closings.flatMap(({ windows, filling, closing }) => [
    { what: `${whole(windows)} rows come in`, still: filling },
    { what: `${whole(windows)} windows close`, still: closing },
  ]);
  return {
    title: "Standing still",
    text:
      "Rows come in as fast as the processor takes them; then one event a partition closes the windows of all of them. " +
      "p99: how long an event that comes at any moment waits at most for the main thread to look up again, of 99 % of the " +
      "moments. In CPU: processor time of the thread within a pause, which others' work on the machine does not lengthen. " +
      "GC: the garbage collector's pauses. While windows close, events wait for the last of their partition's results, " +
      "since these are of the time before them (docs/design.md, section 4, rule 2): that takes what the last column says, " +
      "with heartbeats, other partitions and checkpoints going on.",
    tables: [
      {
        heads: ["", ...standingStillHeads],
        rows: phases.map(({ what, still }) => [what, ...standingStillCells(still)]),
      },
      {
        heads: ["windows", "from the closing event to the last committed result, s"],
        rows: closings.map(({ windows, closedS }) => [whole(windows), figure(closedS)]),
      },
    ],
    targets: phases.map(({ what, still }) => ({
      what: `p99 of standing still, ${what}`,
      target: `≤ ${MAX_PAUSE_MS} ms`,
      measured: `${figure(still.waitP99Ms)} ms`,
      holds: still.waitP99Ms <= MAX_PAUSE_MS,
    })),
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
    await run.untilCaughtUp();
    await delay(PROBE_MS, undefined, { signal });
    const filling = standingStill(processor.takeWatched());
    let results = 0;
    const follower = await platform.broker.follow({
      topic: run.resultsTopic,
      from: "start",
      onMessages: (messages) => {
        results += messages.length;
      },
    });
    const closedMs = performance.now();
    await platform.broker.appendClosing(stream.topic, windows, 0);
    await until(`results of ${windowCase.title}`, () => results >= windows || child.hasEnded, signal);
    if (child.hasEnded) throw new Error(child.failure);
    const closedS = (performance.now() - closedMs) / 1_000;
    await delay(PROBE_MS, undefined, { signal });
    await follower.stop();
    const closing = standingStill(processor.takeWatched());
    say(`${windowCase.title}: closed within ${figure(closedS)} s, p99 ${figure(closing.waitP99Ms)} ms`);
    return { windows, filling, closing, closedS };
  } finally {
    await run.close();
  }
}
