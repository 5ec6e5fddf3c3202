/** What stands in a results topic after all corrections, and how two of them differ. */
import { type ResultRecord, versionText } from "../../contracts/results.ts";

/** Windows that begin at `fromMs` or later, and end at `untilMs` or earlier. */
export interface TimeRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Row {
  readonly version: string;
  /** Undefined: taken back. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

/** The newest result of each window and key, as the results table has it. */
export class Results {
  readonly #range: TimeRange;
  readonly #rows = new Map<string, Row>();

  constructor(range: TimeRange) {
    this.#range = range;
  }

  add({ kind, key, window, pane = 0, value, version }: ResultRecord): void {
    const { start, end } = window;
    if (start < this.#range.fromMs || end > this.#range.untilMs) return;
    const text = versionText(version);
    const row = JSON.stringify([key, start, end, pane]);
    if ((this.#rows.get(row)?.version ?? "") > text) return;
    this.#rows.set(row, {
      version: text,
      value: kind === "result" ? (value as Row["value"]) : undefined,
    });
  }

  /** What is not taken back, by a text that is the same for the same window and key. */
  get standing(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    const values = new Map<string, Readonly<Record<string, unknown>>>();
    for (const [row, { value }] of this.#rows) if (value !== undefined) values.set(row, value);
    return values;
  }
}

export interface Comparison {
  readonly equal: number;
  readonly different: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Fields that only one of the two has: they are not compared. */
  readonly leftOut: readonly string[];
  /** The first of what differs, a line each. */
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 20;

/** Compares the fields that both have; a version that adds one is meant to differ in that. */
export function compareResults(first: Results, second: Results): Comparison {
  const [before, after] = [first.standing, second.standing];
  const fields = commonFields(before, after);
  const counts = { equal: 0, different: 0, onlyFirst: 0, onlySecond: 0 };
  const examples: string[] = [];
  const note = (count: "different" | "onlyFirst" | "onlySecond", row: string, text: string) => {
    counts[count] += 1;
    if (examples.length < MAX_EXAMPLES) examples.push(`${titleOf(row)}: ${text}`);
  };
  for (const [row, value] of before) {
    const other = after.get(row);
    if (other === undefined) {
      note("onlyFirst", row, "only in the first");
      continue;
    }
    const names = fields.common.filter((name) => JSON.stringify(value[name]) !== JSON.stringify(other[name]));
    if (names.length === 0) counts.equal += 1;
    else note("different", row, names.map((name) => differenceOf(name, value, other)).join(", "));
  }
  for (const row of after.keys()) if (!before.has(row)) note("onlySecond", row, "only in the second");
  return { ...counts, leftOut: fields.leftOut, examples };
}

function commonFields(
  before: ReadonlyMap<string, object>,
  after: ReadonlyMap<string, object>,
): { readonly common: readonly string[]; readonly leftOut: readonly string[] } {
  const namesOf = (values: Iterable<object>) => new Set([...values].flatMap((value) => Object.keys(value)));
  const [left, right] = [namesOf(before.values()), namesOf(after.values())];
  // Where one of them has nothing, there is nothing to leave out.
  if (left.size === 0 || right.size === 0) return { common: [], leftOut: [] };
  const all = [...new Set([...left, ...right])];
  const isCommon = (name: string) => left.has(name) && right.has(name);
  return { common: all.filter(isCommon), leftOut: all.filter((name) => !isCommon(name)) };
}

const differenceOf = (
  name: string,
  value: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): string => `${name} ${JSON.stringify(value[name])} and ${JSON.stringify(other[name])}`;

function titleOf(row: string): string {
  const [key, start, end, pane] = JSON.parse(row) as [string, number, number, number];
  const window = `${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
  return pane === 0 ? `${key}, ${window}` : `${key}, ${window}, pane ${pane}`;
}
