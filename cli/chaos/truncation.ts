/** Retention deletes records that a stopped task has not read: that task parks, the others stay exact. */
import { endOffsets } from "../demo/topic-reader.ts";
import { untilNoneRemains } from "../demo/wait.ts";
import { keepEvidence } from "./evidence.ts";
import { PROCESSORS } from "./faults.ts";
import type { Mismatches } from "./ledger.ts";
import { type ProcessorEntry, readProcessorLog } from "./processor-log.ts";
import { EVERY_PARTITION, PARTITIONS, Stage, TOPIC } from "./stage.ts";
import { Traffic } from "./traffic.ts";
import { readLog, verify } from "./verify.ts";

const FEED_MS = 3_000;
const PARK_TIMEOUT_MS = 60_000;
const PARKED_CODE = "offset-outside-log";

/** Resolves with the exit code: 0 if the one task parked and everything else is exact, 1 if not. */
export async function runTruncation(seed: number, signal: AbortSignal): Promise<number> {
  const victim = seed % PARTITIONS;
  console.log(`log truncated under partition ${victim}, seed ${seed}`);
  return Stage.with(signal, async (stage) => {
    const { platform } = stage;
    try {
      const mismatches = await course(stage, new Traffic(seed, PARTITIONS), victim);
      console.log(`  mismatches           ${[mismatches.count, ...mismatches.examples].join("\n    ")}`);
      if (mismatches.count === 0) return 0;
    } catch (error) {
      platform.signal.throwIfAborted();
      console.log(`failed: ${(error as Error).message}`);
    }
    console.log(`logs of every process, and the brokers' data: ${await keepEvidence(platform.runDirectory)}`);
    return 1;
  });
}

async function course(stage: Stage, traffic: Traffic, victim: number): Promise<Mismatches> {
  const feedSome = () =>
    stage.feed(traffic, AbortSignal.any([stage.platform.signal, AbortSignal.timeout(FEED_MS)]));
  await feedSome();
  await stage.untilProcessed(EVERY_PARTITION, "the first half is not processed");
  console.log("stopping the processors, sending more, deleting some of what they have not read");
  await stage.scale(0);
  await feedSome();
  await stage.publish(traffic.flush());
  const committed = (await stage.committed()).get(victim)!;
  // Read while it is all there. What the task had committed was judged by it, the rest never will be.
  const oracle = await readLog(stage, (partition, offset) => partition !== victim || offset < committed);
  await truncate(stage, victim, committed);
  await stage.scale(PROCESSORS);
  await untilParked(stage, victim);
  await stage.untilProcessed(
    EVERY_PARTITION.filter((partition) => partition !== victim),
    "the other tasks do not get on",
  );
  console.log("reading everything that was written");
  const { mismatches } = await verify(stage, oracle);
  await checkParked(stage, victim, mismatches);
  const kept = (await stage.committed()).get(victim);
  if (kept !== committed) mismatches.add(`the parked task's offset moved from ${committed} to ${kept}`);
  return mismatches;
}

/** What retention does, at once: deletes from the log's start to beyond the committed offset. */
async function truncate(stage: Stage, partition: number, committed: number): Promise<void> {
  await stage.withAdmin(async (admin) => {
    // Asking for the ends also makes kafkajs learn the leaders, which deleteTopicRecords by itself does not do.
    const end = (await endOffsets(admin, TOPIC)).get(partition)!;
    const offset = String(Math.floor((committed + end) / 2) + 1);
    await admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition, offset }] });
  });
}

async function untilParked(stage: Stage, victim: number): Promise<void> {
  await untilNoneRemains(
    async () => ((await parked(stage)).some((one) => one.partition === victim) ? 0 : 1),
    {
      what: `the task ${victim} does not park`,
      intervalMs: 200,
      stallTimeoutMs: PARK_TIMEOUT_MS,
      signal: stage.platform.signal,
    },
  );
}

async function checkParked(stage: Stage, victim: number, mismatches: Mismatches): Promise<void> {
  for (const { partition, code } of await parked(stage)) {
    if (partition !== victim || code !== PARKED_CODE) mismatches.add(`task ${partition} parked: ${code}`);
  }
}

async function parked({ platform, targets }: Stage): Promise<ProcessorEntry[]> {
  const entries = await readProcessorLog(platform.runDirectory, targets.service);
  return entries.filter(({ message }) => message === "task parked");
}
