/** What the parts found, as Markdown. */
import type { Machine } from "../streams/machine.ts";
import { table } from "../streams/report.ts";

export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface PartReport {
  readonly title: string;
  /** How it was measured. */
  readonly text: string;
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
  /** All that was measured, for whoever wants more than the tables. */
  readonly data: unknown;
}

export interface Table {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface OperationReport {
  readonly machine: Machine;
  readonly parts: readonly PartReport[];
}

export function markdownOf({ machine, parts }: OperationReport): string {
  const { cores, model, memoryGib, node, java, commit, loadBefore } = machine;
  return [
    `${cores} cores (${model}), ${memoryGib} GiB, Node ${node}, Java ${java}, commit ${commit}, load before the start ` +
      `${loadBefore}.`,
    ...parts.flatMap(({ title, text, tables }) => [
      `### ${title}`,
      text,
      ...tables.map(({ heads, rows }) => table(heads, rows)),
    ]),
    ...targetTable(parts.flatMap(({ targets }) => targets)),
  ].join("\n\n");
}

function targetTable(targets: readonly Target[]): readonly string[] {
  if (targets.length === 0) return [];
  const rows = targets.map(({ what, target, measured, holds }) => [
    what,
    target,
    measured,
    holds ? "yes" : "no",
  ]);
  return ["### Targets", table(["", "target", "measured", "holds"], rows)];
}

/** A whole number, with commas; a dash where there is none. */
export const whole = (value: number | null): string =>
  value === null ? "–" : Math.round(value).toLocaleString("en-US");

/** With a digit or two behind the point where it is small. */
export function figure(value: number | null): string {
  if (value === null) return "–";
  if (value >= 100) return whole(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}
