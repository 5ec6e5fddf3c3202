/** What a chaos run says in the end. */
import { grouped } from "../demo/progress.ts";
import type { FaultEntry } from "./injector.ts";
import type { ProcessorEntry } from "./processor-log.ts";
import type { Ledger } from "./verify.ts";
import type { Standstills } from "./watch.ts";

export interface Figures {
  readonly seed: number;
  readonly durationMs: number;
  readonly faults: readonly FaultEntry[];
  readonly processors: readonly ProcessorEntry[];
  readonly standstills: Standstills;
  readonly ledger: Ledger;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** `n: p50 a, max b`. */
function spread(durationsMs: readonly number[]): string {
  if (durationsMs.length === 0) return "0";
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const p50 = sorted[Math.floor(sorted.length / 2)]!;
  return `${sorted.length} (p50 ${seconds(p50)}, max ${seconds(sorted.at(-1)!)})`;
}

/** How often each text occurs, the most frequent first. */
function tally(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const sorted = [...counts].sort(([, some], [, others]) => others - some);
  return sorted.map(([text, count]) => `${text} ${count}`).join(", ");
}

export function reportLines(figures: Figures): string[] {
  const { seed, durationMs, faults, processors, standstills, ledger } = figures;
  const { oracle, results, mismatches } = ledger;
  const { counted, late, duplicate, dead } = oracle.outcomes;
  const done = faults.filter(({ missed }) => missed === undefined);
  const recoveries = processors.filter(({ message }) => message === "task recovered");
  const line = (name: string, text: string) => `  ${name.padEnd(20)} ${text}`;
  return [
    "",
    `chaos, seed ${seed}, ${seconds(durationMs)}`,
    line("faults", `${done.length} (${tally(done.map(({ kind }) => kind))})`),
    line("faults missed", `${faults.length - done.length} (the target was away already)`),
    line("tasks recovered", spread(recoveries.map(({ recoveryMs = 0 }) => recoveryMs))),
    line("by first step", tally(recoveries.map(({ step = "?" }) => step))),
    line("partition standstills", spread(standstills.durationsMs)),
    line("time without progress", seconds(standstills.withoutProgressMs)),
    line("processes gave up", tally(processors.flatMap(surrender)) || "0"),
    line(
      "records",
      `${grouped(oracle.records)} in the log, ${grouped((1_000 * oracle.records) / durationMs)}/s`,
    ),
    line(
      "of them",
      `${grouped(counted)} counted, ${grouped(late)} late, ${grouped(duplicate)} duplicate, ${grouped(dead)} dead`,
    ),
    line("results", grouped(results)),
    line("mismatches", String(mismatches.count)),
    ...mismatches.examples.map((example) => `    ${example}`),
  ];
}

/** Why a process ended itself, if the entry says so. */
function surrender({ message, error }: ProcessorEntry): string[] {
  const isFatal = message === "task failed" || message === "the Kafka client crashed";
  return isFatal ? [`${message}: ${error?.name ?? ""} ${error?.message ?? ""}`.trim()] : [];
}

export function faultLine({ lane, index, what, fromMs, toMs, missed }: FaultEntry): string {
  const span = toMs === undefined ? seconds(fromMs) : `${seconds(fromMs)} to ${seconds(toMs)}`;
  const note = missed === undefined ? "" : ` (missed: ${missed})`;
  return `${span.padStart(18)}  ${`${lane} ${index}`.padEnd(14)} ${what}${note}`;
}
