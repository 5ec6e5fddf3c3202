/** The results of one engine while it writes them, held against what they have to be. */
import type { KafkaMessage } from "kafkajs";
import { areEqual, type Difference, differenceOf } from "./compare.ts";
import type { Engine } from "./engines.ts";
import { isClosing } from "./events.ts";
import { type Results, rowOf } from "./reference.ts";

export class ResultsSoFar {
  readonly #engine: Engine;
  readonly #expected: Results;
  readonly #results: Results = new Map();
  /** Expected rows that are missing, or not yet what they have to be. */
  #open: number;
  /** Rows that came again, of an engine that emits each once. */
  readonly #repeated: string[] = [];

  constructor(engine: Engine, expected: Results) {
    this.#engine = engine;
    this.#expected = expected;
    this.#open = expected.size;
  }

  /** Whether every expected row is there and right. */
  get areComplete(): boolean {
    return this.#open === 0;
  }

  /** How many there are, right or wrong, those of closing events left out. */
  get size(): number {
    return this.#results.size;
  }

  add(messages: readonly Pick<KafkaMessage, "value">[]): void {
    for (const { value } of messages) {
      const { key, start, end, count, sum, max } = this.#engine.rowOf(JSON.parse(value!.toString()));
      if (isClosing(key)) continue;
      const row = rowOf(key, start, end);
      const [expected, before, now] = [this.#expected.get(row), this.#results.get(row), { count, sum, max }];
      if (before !== undefined && this.#engine.emitsOnClose) this.#repeated.push(row);
      if (expected !== undefined) {
        const wasRight = before !== undefined && areEqual(expected, before);
        this.#open += Number(wasRight) - Number(areEqual(expected, now));
      }
      this.#results.set(row, now);
    }
  }

  difference(): Difference {
    const { count, examples } = differenceOf(this.#expected, this.#results);
    const repeated = this.#repeated.map((row) => `${row}: emitted again`);
    return { count: count + repeated.length, examples: [...examples, ...repeated.slice(0, 1)] };
  }
}
