/** What a burst has shown: in words, in figures and as a picture. */
import { type Percentiles, percentiles, percentilesText } from "../percentiles.ts";
import type { BurstLedger, Tally } from "./ledger.ts";
import type { Answered } from "./load.ts";
import { svgOf } from "./picture.ts";
import type { BurstOptions } from "./run.ts";
import type { Sample } from "./sampler.ts";

export interface BurstReport {
  /** Of requests that were answered. */
  readonly offered: number;
  /** Requests that ended without an answer: a connection that was lost, or 30 s that were over. */
  readonly unanswered: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Of answers 202. */
  readonly ackMs: Percentiles;
  /** Of those of them for which no execution environment was started, which here is a process on the same machine. */
  readonly warmAckMs: Percentiles;
  /** Answers for which one was. */
  readonly coldStarts: number;
  readonly outage: { readonly fromS: number; readonly toS: number } | undefined;
  /** From the end of the load until the last accepted event was committed by the pipeline. */
  readonly drainSeconds: number;
  readonly tally: Tally;
  readonly ledger: BurstLedger;
  /** Events, for each second since the load began. */
  readonly seconds: readonly Second[];
}

export interface Second {
  readonly answered: number;
  readonly accepted: number;
  readonly refused: number;
  /** Accepted so far, and not on the topic: in the spillway. Not known while Kafka is away, but for its beginning. */
  readonly spilled?: number;
  /** On the topic, and not yet committed by the pipeline. */
  readonly backlog?: number;
}

export interface BurstCourse {
  readonly options: BurstOptions;
  readonly answers: readonly Answered[];
  readonly outage: BurstReport["outage"];
  readonly drainSeconds: number;
  readonly samples: readonly Sample[];
  readonly tally: Tally;
  readonly ledger: BurstLedger;
}

export function reportOf({ options, answers, samples, ...course }: BurstCourse): BurstReport {
  const { eventsPerRequest } = options;
  const answered = answers.filter(({ status }) => status !== 0);
  const statuses: Record<string, number> = {};
  for (const { status } of answered) statuses[status] = (statuses[status] ?? 0) + 1;
  const acknowledged = answered.filter(({ status }) => status === 202);
  return {
    ...course,
    offered: answered.length * eventsPerRequest,
    unanswered: answers.length - answered.length,
    statuses,
    ackMs: percentiles(acknowledged.map(({ latencyMs }) => latencyMs)),
    warmAckMs: percentiles(
      acknowledged.filter(({ coldStart }) => !coldStart).map(({ latencyMs }) => latencyMs),
    ),
    coldStarts: answered.filter(({ coldStart }) => coldStart).length,
    seconds: secondsOf(answers, samples, eventsPerRequest),
  };
}

function secondsOf(
  answers: readonly Answered[],
  samples: readonly Sample[],
  eventsPerRequest: number,
): Second[] {
  const counts = samples.map(() => ({ answered: 0, accepted: 0, refused: 0 }));
  for (const { atMs, status, refused } of answers) {
    const second = counts[Math.floor(atMs / 1_000)];
    if (second === undefined) continue;
    const accepted = status === 202 ? eventsPerRequest - refused : 0;
    second.answered += eventsPerRequest;
    second.accepted += accepted;
    second.refused += eventsPerRequest - accepted;
  }
  let acceptedSoFar = 0;
  return counts.map((count, index) => {
    acceptedSoFar += count.accepted;
    const { onTopic, committed } = samples[index]!;
    return {
      ...count,
      ...(onTopic !== undefined && { spilled: Math.max(0, acceptedSoFar - onTopic) }),
      ...(onTopic !== undefined && committed !== undefined && { backlog: Math.max(0, onTopic - committed) }),
    };
  });
}

export function textOf({
  offered,
  unanswered,
  statuses,
  ackMs,
  warmAckMs,
  coldStarts,
  drainSeconds,
  tally,
  ledger,
}: BurstReport): string {
  const count = (value: number) => value.toLocaleString("en-US");
  const answered = Object.entries(statuses).map(([status, requests]) => `${status}: ${count(requests)}`);
  return [
    "",
    `  offered           ${count(offered)} events`,
    `  answered          ${answered.join(", ")} requests`,
    `  unanswered        ${count(unanswered)} requests`,
    `  accepted          ${count(ledger.accepted)}`,
    `  refused           ${count(ledger.refused)}`,
    `  ack latency       ${percentilesText(ackMs)}`,
    `  without starts    ${percentilesText(warmAckMs)}; an execution environment was started for ${coldStarts} requests`,
    `  time to drain     ${drainSeconds.toFixed(1)} s after the load`,
    `  counted           ${count(tally.counted)}, late ${count(tally.late)}, dead ${count(tally.dead)}, duplicates ${count(tally.duplicate)}`,
    `  mismatches        ${[ledger.mismatches.length, ...ledger.mismatches].join("\n    ")}`,
  ].join("\n");
}

export function pictureOf({ seconds, outage }: BurstReport): string {
  const spans = outage ? [{ name: "Kafka is away", ...outage }] : [];
  return svgOf([
    {
      title: "Events at the door",
      unit: "a second",
      spans,
      lines: [
        { name: "answered", color: "#888", values: seconds.map(({ answered }) => answered) },
        { name: "accepted", color: "#27a", values: seconds.map(({ accepted }) => accepted) },
        { name: "refused", color: "#c33", values: seconds.map(({ refused }) => refused) },
      ],
    },
    {
      title: "Events that wait",
      unit: "in all",
      spans,
      lines: [
        { name: "in the spillway", color: "#a6a", values: seconds.map(({ spilled }) => spilled) },
        { name: "in Kafka", color: "#e80", values: seconds.map(({ backlog }) => backlog) },
      ],
    },
  ]);
}
