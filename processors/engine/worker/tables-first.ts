/**
 * Tables before streams: until every table of a task was read to what was its end when the task began, nothing else is
 * fetched, so that no event misses a row that was there before it.
 */
import type { TopicPartition } from "../log/port.ts";
import type { InputDefinition } from "../pipeline/definition.ts";
import type { IdleOptions } from "./idle.ts";

const LOOK_INTERVAL_MS = 100;

export type TablesFirstOptions = Pick<
  IdleOptions,
  "clock" | "signal" | "position" | "endOffset" | "onFailure"
>;

export class TablesFirst {
  readonly #inputs: readonly TopicPartition[];
  /** Indexes of the tables among the inputs. */
  readonly #tables: readonly number[];
  #read: boolean;

  constructor(definitions: readonly InputDefinition[], partition: number) {
    this.#inputs = definitions.map(({ topic }) => ({ topic, partition }));
    this.#tables = [...definitions.keys()].filter((input) => definitions[input]!.role === "table");
    this.#read = this.#tables.length === 0;
  }

  /** The inputs that may be fetched now. */
  get fetchable(): readonly TopicPartition[] {
    return this.#read ? this.#inputs : this.#tables.map((input) => this.#inputs[input]!);
  }

  /** Resolves true once every table was read, so that all inputs may be fetched; false where the signal aborted. */
  async untilRead(options: TablesFirstOptions): Promise<boolean> {
    if (this.#read) return true;
    for (const input of this.#tables) {
      const end = await endOf(input, options);
      await until(() => (options.position(input) ?? 0) >= end, options);
    }
    this.#read = !options.signal.aborted;
    return this.#read;
  }
}

async function endOf(
  input: number,
  { endOffset, onFailure, ...options }: TablesFirstOptions,
): Promise<number> {
  let end: number | undefined;
  const ask = async (): Promise<boolean> => {
    try {
      end = await endOffset(input);
    } catch (error) {
      onFailure(error as Error);
    }
    return end !== undefined;
  };
  await until(ask, options);
  return end ?? 0;
}

/** Looks until it holds or the signal aborts. */
async function until(
  holds: () => boolean | Promise<boolean>,
  { clock, signal }: Pick<TablesFirstOptions, "clock" | "signal">,
): Promise<void> {
  while (!signal.aborted && !(await holds())) await clock.sleep(LOOK_INTERVAL_MS, signal);
}
