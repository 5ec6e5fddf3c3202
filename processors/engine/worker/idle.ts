/**
 * Ticks (design, section 4, rule 3): where an input had no record for its idle timeout, and the task stands at the
 * end of its log, the clock moves the watermark.
 */
import type { InputDefinition } from "../pipeline/definition.ts";
import type { Task } from "../task/task.ts";
import type { Clock } from "./ports.ts";

/** How often idle inputs are looked for, at most: how late a window of a silent input may close. */
const MAX_LOOK_INTERVAL_MS = 1_000;

export interface IdleOptions {
  readonly task: Task;
  readonly inputs: readonly InputDefinition[];
  readonly clock: Clock;
  /** Aborts when the task ends. */
  readonly signal: AbortSignal;
  /** The next offset to read of an input, commit markers behind it included; undefined while records of it wait. */
  readonly position: (input: number) => number | undefined;
  /** The end of an input's log, read fresh. Records of open transactions are part of it. */
  readonly endOffset: (input: number) => Promise<number>;
  /** The end could not be read; it is tried again at the next look. */
  readonly onFailure: (error: Error) => void;
  readonly onTick: () => void;
}

/** Ticks the task's idle inputs until the signal aborts; where no input has an idle timeout it resolves at once. */
export async function tickWhileIdle(options: IdleOptions): Promise<void> {
  const { task, inputs, clock, signal, onTick } = options;
  const timeouts = inputs.flatMap(({ idleTimeoutMs }) => idleTimeoutMs ?? []);
  if (timeouts.length === 0) return;
  const lookMs = Math.min(MAX_LOOK_INTERVAL_MS, ...timeouts);
  const silence = inputs.map((_, input) => new Silence(options, input));
  while (!signal.aborted) {
    await clock.sleep(lookMs, signal);
    for (const [input, { idleTimeoutMs }] of inputs.entries()) {
      if (signal.aborted || idleTimeoutMs === null) continue;
      // The time before the log's end is asked for: what has arrived by the time that the answer comes is behind it.
      const nowMs = clock.epochMs();
      if (!(await silence[input]!.isOver(idleTimeoutMs, nowMs)) || signal.aborted) continue;
      if (task.tick(input, nowMs)) onTick();
    }
  }
}

/** How long an input has been silent: counted from when the task had applied its last record, or began. */
class Silence {
  readonly #options: IdleOptions;
  readonly #input: number;
  #offset: number;
  #sinceMs: number;

  constructor(options: IdleOptions, input: number) {
    this.#options = options;
    this.#input = input;
    this.#offset = this.#nextOffset;
    this.#sinceMs = options.clock.nowMs();
  }

  /** Whether it has lasted the timeout, nothing is left to read, and a tick would change what the task does. */
  async isOver(idleTimeoutMs: number, nowMs: number): Promise<boolean> {
    const { task, clock } = this.#options;
    if (this.#nextOffset !== this.#offset) {
      this.#offset = this.#nextOffset;
      this.#sinceMs = clock.nowMs();
    }
    if (clock.nowMs() - this.#sinceMs < idleTimeoutMs) return false;
    if (!task.tickMatters(this.#input, nowMs)) return false;
    const end = await this.#end();
    // While the end was asked for, records may have come; and a firing must end at the watermark it began with.
    return end !== undefined && end === this.#options.position(this.#input) && !task.firing;
  }

  get #nextOffset(): number {
    return this.#options.task.offsets[this.#input]!;
  }

  async #end(): Promise<number | undefined> {
    try {
      return await this.#options.endOffset(this.#input);
    } catch (error) {
      this.#options.onFailure(error as Error);
      return undefined;
    }
  }
}
