/** The exact ledger: everything that came out of a run, held against the {@link Oracle}. */
import type { KafkaMessage } from "kafkajs";
import { deadLetterHeaders, lateHeaders } from "../../contracts/dead-letter.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { versionText } from "../../contracts/results.ts";
import type { Manifest } from "../../processors/engine/checkpoint/manifest.ts";
import { header, type Oracle, positionOf, type Rejected, windowName } from "./oracle.ts";

/** What must be 0, and examples of it in words. */
export class Mismatches {
  static readonly #MAX_EXAMPLES = 20;
  readonly examples: string[] = [];
  count = 0;

  add(example: string): void {
    this.count += 1;
    if (this.examples.length < Mismatches.#MAX_EXAMPLES) this.examples.push(example);
  }
}

/** Checks the results topic as it is read: each window of each key exactly once, with the oracle's value. */
export class ResultsCheck {
  readonly #expected: ReadonlyMap<string, object>;
  readonly #pipeline: string;
  readonly #mismatches: Mismatches;
  readonly #seen = new Set<string>();
  readonly #lastVersions = new Map<string, string>();
  records = 0;

  constructor(oracle: Oracle, pipeline: string, mismatches: Mismatches) {
    this.#expected = oracle.closedWindows();
    this.#pipeline = pipeline;
    this.#mismatches = mismatches;
  }

  take(partition: number, { key, value, offset }: KafkaMessage): void {
    this.records += 1;
    const place = positionOf(partition, offset);
    const record = JSON.parse(value?.toString() ?? "null") as ResultRecord;
    const name = windowName(record.key, record.window.start);
    const expected = this.#expected.get(name);
    const wrong = (what: string) => this.#mismatches.add(`result ${name}, at ${place}: ${what}`);
    if (key?.toString() !== record.key) wrong(`its Kafka key is ${key}`);
    if (record.kind !== "result" || record.pipeline !== this.#pipeline)
      wrong(`it is a ${record.kind} of ${record.pipeline}`);
    if (this.#seen.has(name)) wrong("it is there twice");
    // With allowed lateness 0 a window is emitted once.
    if (record.revision !== 1) wrong(`its revision is ${record.revision}`);
    if (expected === undefined) wrong("it should not be there");
    else if (!equal(expected, record.value)) {
      wrong(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(record.value)}`);
    }
    this.#seen.add(name);
    const version = versionText(record.version);
    if (version <= (this.#lastVersions.get(record.key) ?? ""))
      wrong(`its version ${version} is not a newer one`);
    this.#lastVersions.set(record.key, version);
  }

  finish(): void {
    for (const name of this.#expected.keys()) {
      if (!this.#seen.has(name)) this.#mismatches.add(`result ${name}: it is missing`);
    }
  }
}

function equal(expected: object, actual: unknown): boolean {
  if (typeof actual !== "object" || actual === null) return false;
  const [wanted, got] = [Object.entries(expected), actual as Readonly<Record<string, unknown>>];
  return Object.keys(got).length === wanted.length && wanted.every(([field, value]) => got[field] === value);
}

/** Checks the late or the dead-letter topic as it is read: each rejected record exactly once, with its own bytes. */
export class RejectedCheck {
  readonly #kind: "late" | "dead";
  readonly #expected: ReadonlyMap<string, Rejected>;
  readonly #mismatches: Mismatches;
  readonly #seen = new Set<string>();

  constructor(kind: "late" | "dead", oracle: Oracle, mismatches: Mismatches) {
    this.#kind = kind;
    this.#expected = oracle[kind];
    this.#mismatches = mismatches;
  }

  take(partition: number, message: KafkaMessage): void {
    const place = positionOf(partition, message.offset);
    const names = this.#kind === "late" ? lateHeaders : deadLetterHeaders;
    const position = positionOf(
      header(message, names.partition) ?? "?",
      header(message, names.offset) ?? "?",
    );
    const expected = this.#expected.get(position);
    const wrong = (what: string) =>
      this.#mismatches.add(`${this.#kind} record ${position}, at ${place}: ${what}`);
    if (this.#seen.has(position)) wrong("it is there twice");
    this.#seen.add(position);
    if (expected === undefined) wrong("it should not be there");
    else this.#compare(message, expected, wrong);
  }

  #compare(message: KafkaMessage, expected: Rejected, wrong: (what: string) => void): void {
    if (!sameBytes(message.key, expected.key)) wrong("its key is not the original's");
    if (!sameBytes(message.value, expected.value)) wrong("its value is not the original's");
    const reason = header(message, deadLetterHeaders.reason);
    if (reason !== expected.reason) wrong(`its reason is ${reason}, not ${expected.reason}`);
    if (this.#kind === "late" && !/^\d+$/.test(header(message, lateHeaders.lateByMs) ?? "")) {
      wrong("it does not say how late it was");
    }
  }

  finish(): void {
    for (const position of this.#expected.keys()) {
      if (!this.#seen.has(position)) this.#mismatches.add(`${this.#kind} record ${position}: it is missing`);
    }
  }
}

const sameBytes = (a: Buffer | null, b: Buffer | null): boolean =>
  a === null || b === null ? a === b : a.equals(b);

/** The tasks' own counters, summed: the only place where a duplicate shows. */
export function checkCounters(
  manifests: readonly Pick<Manifest, "counters">[],
  { outcomes }: Oracle,
  mismatches: Mismatches,
): void {
  for (const name of ["counted", "late", "duplicate", "dead"] as const) {
    const kept = manifests.reduce((sum, { counters }) => sum + counters[name], 0);
    if (kept !== outcomes[name])
      mismatches.add(`the tasks count ${kept} ${name}; it must be ${outcomes[name]}`);
  }
}

/** Every acknowledged record is in the log; a retried one may be there more than once. */
export function checkLog({ numbers }: Oracle, acknowledged: number, mismatches: Mismatches): void {
  for (let number = 0; number < acknowledged; number++) {
    if (!numbers.has(number)) mismatches.add(`record ${number}: acknowledged by Kafka, but not in the log`);
  }
}
