/** The table that the demo ends with. */
import { percentilesText } from "../percentiles.ts";
import { grouped } from "./progress.ts";
import type { Recovery } from "./recovery.ts";
import type { Verification } from "./verify.ts";

export interface DemoFigures {
  readonly accepted: number;
  /** Requests that had to be sent again. */
  readonly retries: number;
  /** From the first request until the last was accepted. */
  readonly replayMs: number;
  /** At least one. */
  readonly recoveries: readonly Recovery[];
  readonly verification: Verification;
}

/** How many comparisons failed: differing rows, dead letters and sums that do not add up. */
export function mismatches({ accepted, verification }: DemoFigures): number {
  const { checks, deadLetters } = verification;
  const differing = checks.reduce((sum, { difference }) => sum + difference.count, 0);
  return differing + deadLetters + (addsUp(accepted, verification) ? 0 : 1);
}

/** Every accepted event, and every repeat of one, is counted, late, duplicate or dead. */
function addsUp(
  accepted: number,
  { counted, late, duplicate, deadLetters, onTopic, repeats }: Verification,
): boolean {
  return onTopic === accepted + repeats && counted + late + duplicate + deadLetters === onTopic;
}

export function reportLines(figures: DemoFigures): string[] {
  const { accepted, retries, replayMs, recoveries, verification } = figures;
  const { counted, late, duplicate, deadLetters, onTopic, repeats, windows, checks } = verification;
  const rows: [string, string][] = [
    ["sent = accepted", `${grouped(accepted)} (${grouped(retries)} requests were sent again)`],
    ["on the topic", `${grouped(onTopic)} (${grouped(repeats)} of them repeats by requests sent again)`],
    [
      "counted + late + duplicate + dead",
      `${[counted, late, duplicate, deadLetters].map(grouped).join(" + ")} = ${grouped(counted + late + duplicate + deadLetters)}`,
    ],
    ["windows", grouped(windows)],
    ["events/s through POST /events", grouped((accepted / replayMs) * 1_000)],
    ["a page of the query API", percentilesText(verification.queryMs)],
    ...recoveries.map(({ recoveryMs, killedPid, afterEvents }): [string, string] => [
      "recovery after SIGKILL",
      `${(recoveryMs / 1_000).toFixed(1)} s (process ${killedPid}, after ${grouped(afterEvents)} events; until every partition committed again)`,
    ]),
    ...checks.map(({ name, difference }): [string, string] => [
      name,
      difference.count === 0 ? "yes" : `${grouped(difference.count)} differ`,
    ]),
    ["mismatches", grouped(mismatches(figures))],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const examples = checks.flatMap(({ difference }) => difference.examples.map((example) => `  ! ${example}`));
  return [...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`), ...examples];
}
