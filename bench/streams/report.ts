/** The figures of a run of the benchmark, and what they say of the targets. */
import type { Figures } from "./figures.ts";
import type { Machine } from "./machine.ts";

export interface Line {
  readonly engine: string;
  /** The median of its runs. */
  readonly figures: Figures;
  readonly runs: readonly Figures[];
  /** How many rows of its results are not what they have to be; null for a limit, which has none. */
  readonly differingRows: number | null;
}

export interface CaseReport {
  readonly name: string;
  readonly title: string;
  /** Spillway first, then its peers, then what it could do at most. */
  readonly lines: readonly Line[];
}

export interface Report {
  readonly machine: Machine;
  readonly events: number;
  readonly coldEvents: number;
  readonly rounds: number;
  readonly cases: readonly CaseReport[];
}

/** Names that {@link targetsOf} finds lines by. */
export const SPILLWAY = "Spillway";
export const KAFKA_STREAMS = "Kafka Streams";
export const READ_LIMIT = "kafkajs, reading only";

interface Target {
  readonly case: string;
  readonly what: string;
  readonly least: number;
  readonly of: (spillway: Figures, peer: Figures) => number | null;
  readonly against: typeof KAFKA_STREAMS | typeof READ_LIMIT;
}

const cold: Target["of"] = (spillway, peer) => ratio(spillway.coldPerCpuS, peer.coldPerCpuS);
const warm: Target["of"] = (spillway, peer) => ratio(spillway.warmPerCpuS, peer.warmPerCpuS);
const whole: Target["of"] = (spillway, peer) => ratio(spillway.perCpuS, peer.perCpuS);

const ratio = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a / b;

/** Ratios of events per CPU-second; of memory the peer's above Spillway's. */
const targets: readonly Target[] = [
  { case: "bench-tumbling", what: "cold", least: 2, of: cold, against: KAFKA_STREAMS },
  { case: "bench-tumbling", what: "warm", least: 1.5, of: warm, against: KAFKA_STREAMS },
  { case: "bench-tumbling", what: "whole run", least: 0.6, of: whole, against: READ_LIMIT },
  { case: "bench-hopping", what: "whole run", least: 6, of: whole, against: KAFKA_STREAMS },
  { case: "bench-hopping", what: "whole run", least: 0.4, of: whole, against: READ_LIMIT },
  { case: "bench-session", what: "whole run", least: 2, of: whole, against: KAFKA_STREAMS },
  { case: "bench-session", what: "whole run", least: 0.35, of: whole, against: READ_LIMIT },
  { case: "bench-many-keys", what: "whole run", least: 2, of: whole, against: KAFKA_STREAMS },
];

export interface Judged {
  readonly title: string;
  readonly what: string;
  readonly against: string;
  readonly least: number;
  /** Null where something was not measured. */
  readonly measured: number | null;
}

export function judge({ cases }: Report): readonly Judged[] {
  const byTargets = targets.flatMap(({ case: name, what, least, of, against }) => {
    const found = cases.find((each) => each.name === name);
    if (found === undefined) return [];
    const [own, peer] = [figuresOfBest(found, SPILLWAY), figuresOfBest(found, against)];
    const measured = own && peer ? of(own, peer) : null;
    return [{ title: found.title, what, against, least, measured }];
  });
  return [...byTargets, ...judgeMemory(cases)];
}

/**
 * Bytes a row: what the case of a million keys takes beyond that of ten thousand. Part of it is garbage that a collector
 * had no reason to take yet, in either.
 */
function judgeMemory(cases: readonly CaseReport[]): readonly Judged[] {
  const [few, many] = ["bench-tumbling", "bench-many-keys"].map((name) =>
    cases.find((each) => each.name === name),
  );
  if (few === undefined || many === undefined) return [];
  const rowsMib = (engine: string): number | null => {
    const [less, more] = [figuresOfBest(few, engine), figuresOfBest(many, engine)];
    return less && more ? more.peakRssMib - less.peakRssMib : null;
  };
  const measured = ratio(rowsMib(KAFKA_STREAMS), rowsMib(SPILLWAY));
  return [
    {
      title: many.title,
      what: "memory a row, the peer's / Spillway's",
      against: KAFKA_STREAMS,
      least: 2,
      measured,
    },
  ];
}

/** Of the lines whose engine is called so, that with the most events per CPU-second. */
const figuresOfBest = ({ lines }: CaseReport, engine: string): Figures | undefined =>
  lines
    .filter((line) => line.engine.startsWith(engine))
    .map(({ figures }) => figures)
    .toSorted((a, b) => b.perCpuS - a.perCpuS)[0];

/** The report as Markdown. */
export function markdownOf(report: Report): string {
  const { machine, events, coldEvents, rounds, cases } = report;
  return [
    `${rounded(events)} events; cold: the first ${rounded(coldEvents)} and the start of the process. ` +
      (rounds === 1 ? "One round." : `Medians of ${rounds} rounds, by turns.`),
    `${machine.cores} cores (${machine.model}), ${machine.memoryGib} GiB, Linux ${machine.kernel}, Node ${machine.node}, ` +
      `Java ${machine.java}, commit ${machine.commit}, load before the start ${machine.loadBefore}.`,
    ...cases.map(tableOf),
    targetTable(judge(report)),
  ].join("\n\n");
}

function tableOf({ title, lines }: CaseReport): string {
  const own = lines.find(({ engine }) => engine === SPILLWAY)?.figures.perCpuS;
  const rows = lines.map(({ engine, figures, differingRows }) => {
    const { events, eventsPerS, coldPerCpuS, warmPerCpuS, perCpuS, peakRssMib } = figures;
    const numbers = [events, eventsPerS, perCpuS, coldPerCpuS, warmPerCpuS, peakRssMib].map(rounded);
    const share = own === undefined ? "–" : (own / perCpuS).toFixed(2);
    return [engine, ...numbers, share, resultsText(differingRows)];
  });
  const heads = [
    "",
    "events",
    "events/s",
    "events/CPU-s",
    "cold",
    "warm",
    "peak RSS, MiB",
    "Spillway / it",
    "results",
  ];
  return `**${title}**\n\n${table(heads, rows)}`;
}

function resultsText(differingRows: number | null): string {
  if (differingRows === null) return "–";
  return differingRows === 0 ? "right" : `${rounded(differingRows)} rows wrong`;
}

function targetTable(judged: readonly Judged[]): string {
  const rows = judged.map(({ title, what, against, least, measured }) => {
    const holds = measured === null ? "not measured" : measured >= least ? "yes" : "no";
    return [title, what, against, `≥ ${least}`, measured === null ? "–" : measured.toFixed(2), holds];
  });
  return `**Targets**\n\n${table(["", "of", "against", "target", "measured", "holds"], rows)}`;
}

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(heads),
    line(heads.map((_, column) => (column === 0 ? "---" : "---:"))),
    ...rows.map(line),
  ].join("\n");
}

const rounded = (value: number | null): string =>
  value === null ? "–" : Math.round(value).toLocaleString("en-US");
