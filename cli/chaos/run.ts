/** The course of a chaos run: traffic and faults side by side, then quiet, then the ledger. */
import { keepEvidence } from "./evidence.ts";
import { type FaultEntry, Injector } from "./injector.ts";
import { checkLog } from "./ledger.ts";
import { type ProcessorEntry, readProcessorLog } from "./processor-log.ts";
import { type Figures, faultLine, reportLines } from "./report.ts";
import { EVERY_PARTITION, PARTITIONS, Stage, TOPIC } from "./stage.ts";
import { Traffic } from "./traffic.ts";
import { readLog, verify } from "./verify.ts";
import { type Standstills, Watch } from "./watch.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly durationMs: number;
}

/** Resolves with the exit code: 0 if the ledger is exact, 1 if not, or if the pipeline got stuck. */
export async function runChaos(options: ChaosOptions, signal: AbortSignal): Promise<number> {
  const { seed, durationMs } = options;
  console.log(`chaos for ${durationMs / 1_000} s, seed ${seed}`);
  return Stage.with(signal, async (stage) => {
    const { targets, platform, kafka } = stage;
    const onFault = (entry: FaultEntry) => {
      if (entry.toMs === undefined) console.log(faultLine(entry));
    };
    const injector = new Injector({ seed, targets, control: platform.control, kafka, onFault });
    try {
      const figures = await course(stage, injector, options);
      console.log(reportLines(figures).join("\n"));
      if (figures.ledger.mismatches.count === 0) return 0;
    } catch (error) {
      platform.signal.throwIfAborted();
      console.log(`chaos failed: ${(error as Error).message}`);
    }
    console.log(["", "what was done:", ...injector.log.map(faultLine)].join("\n"));
    console.log(
      `the same faults in the same order: spillway chaos --minutes ${durationMs / 60_000} --seed ${seed}`,
    );
    console.log(`logs of every process, and the brokers' data: ${await keepEvidence(platform.runDirectory)}`);
    return 1;
  });
}

async function course(
  stage: Stage,
  injector: Injector,
  { seed, durationMs }: ChaosOptions,
): Promise<Figures> {
  const traffic = new Traffic(seed, PARTITIONS);
  const standstills = await storm(stage, injector, traffic, durationMs);
  await stage.publish(traffic.flush());
  stage.acknowledged = traffic.count;
  await stage.untilProcessed(EVERY_PARTITION, "the last windows are not closed");
  console.log("reading everything that was written");
  const ledger = await verify(stage, await readLog(stage));
  checkLog(ledger.oracle, stage.acknowledged, ledger.mismatches);
  const processors = await readProcessorLog(stage.platform.runDirectory, stage.targets.service);
  for (const entry of processors.filter(({ message }) => message === "task parked")) {
    ledger.mismatches.add(parked(entry));
  }
  return { seed, durationMs, faults: injector.log, processors, standstills, ledger };
}

/** Traffic and faults for the given time, then until everything has been processed. */
async function storm(
  stage: Stage,
  injector: Injector,
  traffic: Traffic,
  durationMs: number,
): Promise<Standstills> {
  const watch = new Watch(stage.kafka, stage.group, TOPIC);
  try {
    const end = AbortSignal.any([stage.platform.signal, AbortSignal.timeout(durationMs)]);
    await Promise.all([injector.run(end), stage.feed(traffic, end)]);
    stage.platform.signal.throwIfAborted();
    console.log("quiet: everything is up again, waiting for the processors");
    await stage.untilProcessed(
      EVERY_PARTITION,
      "the processors do not get on, though nothing is broken any more",
    );
  } finally {
    await watch.stop();
  }
  return watch.stop();
}

const parked = ({ partition, code, reason }: ProcessorEntry): string =>
  `task ${partition} parked, though no state was taken from it: ${code}, ${reason}`;
