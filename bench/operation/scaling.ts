/** What more processes of one pipeline cost: events for each CPU-second, of 1, 2 and 4. */
import { spillway } from "../streams/engines.ts";
import { PARTITIONS } from "../streams/events.ts";
import { expectedResults } from "../streams/reference.ts";
import { ResultsSoFar } from "../streams/results.ts";
import { type WindowCase, windowCases } from "../streams/windows.ts";
import { filled, type Measurement, Run, until } from "./measurement.ts";
import { figure, type PartReport, whole } from "./report.ts";
import { capacityAt, fit } from "./scalability.ts";

const EVENTS = 3_000_000;
/** Up to there code is compiled, and partitions are handed around while processes join. */
const COLD_EVENTS = 1_200_000;
const PROCESSES = [1, 2, PARTITIONS];
const TOLD = [2, 4, 8, 16, 32];
const [windowCase] = windowCases as [WindowCase];

interface Scaled {
  readonly processes: number;
  readonly perCpuS: number;
  readonly eventsPerS: number;
  readonly wrong: number;
}

export async function measureScaling(measurement: Measurement): Promise<PartReport> {
  const { platform, say } = measurement;
  await filled(measurement, windowCase.stream, EVENTS);
  await platform.broker.appendClosing(windowCase.stream.topic, EVENTS, 0);
  const scaled: Scaled[] = [];
  for (const processes of PROCESSES) {
    scaled.push(await measure(processes, measurement));
    say(`${processes} processes: ${whole(scaled.at(-1)!.perCpuS)} events/CPU-s`);
  }
  const one = scaled[0]!;
  const efficiency = ({ perCpuS }: Scaled): number => perCpuS / one.perCpuS;
  const law = fit(
    scaled.map((each) => ({ workers: each.processes, capacity: each.processes * efficiency(each) })),
  );
  return {
    title: "More processes",
    text:
      `${windowCase.title}, ${whole(EVENTS)} events, the first ${whole(COLD_EVENTS)} left out. Two cores have no room for ` +
      "four processes beside a broker, so what is compared is processor time: what the same events cost when more processes " +
      "share them. From it the Universal Scalability Law is fitted as if each process had a vCPU of its own: a calculation, " +
      "not a measurement. It knows what processes pay for each other, and nothing of the broker's limits, the network's, " +
      "uneven partitions, or of a number of partitions that does not divide.",
    tables: [
      {
        heads: ["processes", "events/CPU-s", "of one's", "events/s on this machine", "wrong results"],
        rows: scaled.map((each) => [
          whole(each.processes),
          whole(each.perCpuS),
          figure(efficiency(each)),
          whole(each.eventsPerS),
          whole(each.wrong),
        ]),
      },
      {
        heads: ["calculated: vCPUs, a process each", "times one", "events/s"],
        rows: TOLD.map((n) => [
          whole(n),
          figure(capacityAt(law, n)),
          whole(capacityAt(law, n) * one.perCpuS),
        ]),
      },
      {
        heads: ["σ", "κ", "most at"],
        rows: [
          [law.sigma.toFixed(4), law.kappa.toFixed(5), Number.isFinite(law.mostAt) ? whole(law.mostAt) : "–"],
        ],
      },
    ],
    targets: [],
    data: { scaled, law },
  };
}

async function measure(processes: number, measurement: Measurement): Promise<Scaled> {
  const { platform, bundle, signal } = measurement;
  const engine = spillway({ bundle, env: platform.env });
  const found = new ResultsSoFar(engine, expectedResults(windowCase.stream, windowCase.window, EVENTS));
  const run = await Run.open(measurement, engine, windowCase);
  try {
    const children = Array.from({ length: processes }, () => run.start().child);
    const cpuS = (): number => children.reduce((sum, child) => sum + child.cpuS(), 0);
    await run.untilCommitted(COLD_EVENTS);
    const [from, fromCpuS, fromMs] = [(await run.committed())!, cpuS(), performance.now()];
    const events = await run.untilCaughtUp();
    const [toCpuS, toMs] = [cpuS(), performance.now()];
    const follower = await platform.broker.follow({
      topic: run.resultsTopic,
      from: "start",
      onMessages: (messages) => found.add(messages),
    });
    await until("all results", () => found.areComplete, signal);
    await follower.stop();
    return {
      processes,
      perCpuS: (events - from) / (toCpuS - fromCpuS),
      eventsPerS: ((events - from) * 1_000) / (toMs - fromMs),
      wrong: found.difference().count,
    };
  } finally {
    await run.close();
  }
}
