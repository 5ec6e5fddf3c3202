/**
 * What `enrich` gets out of a service (docs/pipelines.md): `npm run bench:enrich -- [seconds]`. First how many calls at
 * once are worth it, where the service has no limit; then whether a stated rate is kept, as the service counts it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Enrichment } from "../../processors/engine/pipeline/enrichment.ts";
import type { AskService } from "../../processors/engine/worker/ports.ts";
import { ServiceGate } from "../../processors/engine/worker/service-gate.ts";
import { enrichedTelemetry } from "../../processors/pipelines/enriched-telemetry.ts";
import { startService } from "./service.ts";

const LATENCY_MS = 20;
const RATE = 500;

const seconds = Number(process.argv[2] ?? "10");
if (!(seconds > 0)) {
  console.error(`bench:enrich: ${process.argv[2]} is no number of seconds`);
  process.exit(2);
}

const clock = {
  nowMs: (): number => Math.round(performance.now()),
  sleep: (ms: number, signal: AbortSignal): Promise<void> =>
    delay(ms, undefined, { signal }).catch(() => undefined),
};
/** Every question is asked and waited for. */
const base: Enrichment = {
  ...enrichedTelemetry.inputs[0]!.enrich!,
  cache: null,
  onFailure: "dead-letter",
  skipAboveWaitingRecords: null,
  timeoutMs: 60_000,
};

interface Measured {
  readonly answersPerSecond: number;
  readonly callsPerSecond: number;
  readonly refused: number;
  /** The most of any one second: as they were sent, and as the service saw them. */
  readonly mostSent: number;
  readonly mostSeen: number;
}

/** Tasks of as many processes that ask something new for as long as they may. */
async function measure(
  options: Partial<Enrichment>,
  maxRequestsPerSecond: number,
  processes: number,
  tasks: number,
): Promise<Measured> {
  const service = await startService({ maxRequestsPerSecond, latencyMs: LATENCY_MS });
  const stop = new AbortController();
  let [asked, answered] = [0, 0];
  const sentMs: number[] = [];
  const ask: AskService = (enrich, questions, call) => {
    sentMs.push(performance.now());
    return enrich.ask(questions, call);
  };
  const count = (): void => {
    answered += 1;
  };
  for (let process = 0; process < processes; process++) {
    const gate = new ServiceGate({ enrich: { ...base, ...options }, clock, ask });
    for (let task = 0; task < tasks; task++) {
      const line = gate.open({
        partitions: processes * tasks,
        signal: stop.signal,
        onAnswered: () => more(),
        onFailure: () => undefined,
      });
      const more = (): void => {
        while (line.hasRoom) {
          asked += 1;
          line.ask(`address ${asked}`, count, false);
        }
        line.call();
      };
      more();
    }
  }
  try {
    await delay(seconds * 1_000);
    const seen = await service.seen();
    return {
      answersPerSecond: Math.round(answered / seconds),
      callsPerSecond: Math.round(seen.requests / seconds),
      refused: seen.refused,
      mostSent: mostInASecond(sentMs),
      mostSeen: seen.mostInASecond,
    };
  } finally {
    stop.abort();
    service.stop();
  }
}

function mostInASecond(timesMs: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; last < timesMs.length; last++) {
    while (timesMs[last]! - timesMs[first]! >= 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

console.log(`Calls at once, one question each, a service that takes ${LATENCY_MS} ms:\n`);
console.log("| calls at once | calls/s |\n| ---: | ---: |");
for (const maxInFlight of [1, 10, 50, 100, 300, 500]) {
  const options = { maxInFlight, maxQuestionsPerCall: 1, maxRequestsPerSecond: null };
  const { callsPerSecond } = await measure(options, 1_000_000, 1, 1);
  console.log(`| ${maxInFlight} | ${callsPerSecond} |`);
}

console.log(`\n${RATE} calls/s are stated, and are what the service takes; two processes of four tasks:\n`);
console.log(
  "| questions a call | answers/s | calls/s | most sent in a second | most seen in a second | refused |",
);
console.log("| ---: | ---: | ---: | ---: | ---: | ---: |");
for (const maxQuestionsPerCall of [1, 20, 50]) {
  const options = { maxInFlight: 50, maxQuestionsPerCall, maxRequestsPerSecond: RATE };
  const { answersPerSecond, callsPerSecond, ...counts } = await measure(options, RATE, 2, 4);
  const { mostSent, mostSeen, refused } = counts;
  console.log(
    `| ${maxQuestionsPerCall} | ${answersPerSecond} | ${callsPerSecond} | ${mostSent} | ${mostSeen} | ${refused} |`,
  );
}
