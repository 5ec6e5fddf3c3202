/** What a pipeline writes, as lines of JSON. */
import { writeSync } from "node:fs";
import { deadLetterHeaders } from "../../contracts/dead-letter.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { DEAD_LETTERS_TOPIC, lateTopic } from "../../contracts/topics.ts";
import type { OutputRecord } from "../../processors/engine/log/port.ts";
import { type PipelineDefinition, stagesOf } from "../../processors/engine/pipeline/definition.ts";
import type { PlacedOutput } from "./partition.ts";

/** One line of a replay's output, its fields in this order. */
export interface OutputLine {
  readonly kind: "result" | "retract" | "late" | "dead";
  /** The pipeline's name, or `<pipeline>.<branch>`; that of a late or dead line is always the pipeline's. */
  readonly pipeline: string;
  /** Null for late and dead. */
  readonly key: string | null;
  /** Milliseconds since the epoch, end exclusive. Null for late and dead. */
  readonly window: { readonly start: number; readonly end: number } | null;
  /**
   * The result; null in a retraction. For late and dead the line as text, in which bytes that are not UTF-8 are
   * U+FFFD; for a result that could not be made, what its dead letter holds: JSON of its key, window and row.
   */
  readonly value: unknown;
  /** The nth emission of this window, from 1; in a retraction that of the last one. Null for late and dead. */
  readonly revision: number | null;
}

/** Why lines were dead, by reason. */
interface DeadReason {
  lines: number;
  /** What was wrong with the first of them. */
  readonly detail: string;
}

const FLUSH_CHARS = 1 << 20;

export class OutputLines {
  readonly #pipeline: string;
  readonly #lateTopics: ReadonlySet<string>;
  readonly #file: number;
  readonly counts = { result: 0, retract: 0, late: 0, dead: 0 };
  readonly deadReasons = new Map<string, DeadReason>();
  #text: string[] = [];
  #chars = 0;

  /** @param file descriptor, open for writing; the caller closes it */
  constructor(definition: PipelineDefinition, file: number) {
    this.#pipeline = definition.name;
    this.#lateTopics = new Set(stagesOf(definition).map(({ name }) => lateTopic(name)));
    this.#file = file;
  }

  write(outputs: readonly PlacedOutput[]): void {
    for (const { output } of outputs) {
      const line = this.#toLine(output);
      this.counts[line.kind] += 1;
      const text = `${JSON.stringify(line)}\n`;
      this.#text.push(text);
      this.#chars += text.length;
      if (this.#chars >= FLUSH_CHARS) this.flush();
    }
  }

  #toLine({ topic, value, headers }: OutputRecord): OutputLine {
    const text = value === null ? "" : Buffer.from(value).toString();
    if (topic === DEAD_LETTERS_TOPIC) {
      this.#countReason(headers);
      return rejected("dead", this.#pipeline, text);
    }
    if (this.#lateTopics.has(topic)) return rejected("late", this.#pipeline, text);
    const { kind, pipeline, key, window, value: result, revision } = JSON.parse(text) as ResultRecord;
    return { kind, pipeline, key, window, value: result, revision };
  }

  #countReason(headers: OutputRecord["headers"]): void {
    const reason = headers[deadLetterHeaders.reason]!;
    const known = this.deadReasons.get(reason);
    if (known === undefined)
      this.deadReasons.set(reason, { lines: 1, detail: headers[deadLetterHeaders.detail]! });
    else known.lines += 1;
  }

  flush(): void {
    const bytes = Buffer.from(this.#text.join(""));
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    this.#text = [];
    this.#chars = 0;
  }
}

const rejected = (kind: "late" | "dead", pipeline: string, value: string): OutputLine => ({
  kind,
  pipeline,
  key: null,
  window: null,
  value,
  revision: null,
});
