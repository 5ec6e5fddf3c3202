/**
 * One call of a process function after the other, over a copy of what it changes: later calls for the same record see
 * what earlier ones changed, and nothing of it is state before it is applied.
 */
import { resultText } from "../result-value.ts";
import type { ProcessDefinition } from "./process-definition.ts";
import type { EventContext, ResultWindow } from "./process-functions.ts";
import type { KeptState, ProcessState } from "./process-state.ts";

const MAX_DATE_MS = 8.64e15;

/** Where and when a call happens. */
export interface Moment {
  readonly key: string;
  /** The event's time, or the timer's. */
  readonly timeMs: number;
  readonly watermarkMs: number;
  /** States that expire up to this time are gone. */
  readonly nowMs: number;
  /** Timers must be later than this. */
  readonly timersAfterMs: number;
}

/** A result that was emitted, its value as JSON text: nobody can change it any more. */
interface Emission {
  readonly key: string;
  readonly timeMs: number;
  readonly text: string;
  /** Null: a row of its own. */
  readonly window: ResultWindow | null;
}

interface TimerChange {
  readonly key: string;
  readonly timeMs: number;
  readonly set: boolean;
}

export class ProcessRun {
  readonly #definition: ProcessDefinition;
  readonly #state: ProcessState;
  /** The states that were set or (null) cleared. */
  readonly #states = new Map<string, KeptState | null>();
  #timerChanges: TimerChange[] = [];
  #emissions: Emission[] = [];
  #moment: Moment | null = null;
  readonly #context: EventContext<unknown>;

  constructor(definition: ProcessDefinition, state: ProcessState) {
    this.#definition = definition;
    this.#state = state;
    this.#context = this.#makeContext();
  }

  onEvent(event: unknown, moment: Moment): void {
    this.#call(moment, (context) => this.#definition.functions.onEvent(event, context));
  }

  onTimer(moment: Moment): void {
    this.#call(moment, (context) => this.#definition.functions.onTimer?.(moment.timeMs, context));
  }

  /** Makes the changes part of the state, and hands over each result. Never throws. */
  apply(emit: (emission: Emission) => void): void {
    for (const [key, state] of this.#states) {
      if (state === null) this.#state.delete(key);
      else this.#state.set(key, state);
    }
    for (const { key, timeMs, set } of this.#timerChanges) {
      if (set) this.#state.timers.set(key, timeMs);
      else this.#state.timers.delete(key, timeMs);
    }
    for (const emission of this.#emissions) emit(emission);
    this.discard();
  }

  /** Whether the changes hold a state or a timer more than there are. */
  get grows(): boolean {
    const { timers } = this.#state;
    if (this.#timerChanges.some(({ key, timeMs, set }) => set && !timers.has(key, timeMs))) return true;
    for (const [key, state] of this.#states) {
      if (state !== null && this.#state.get(key) === undefined) return true;
    }
    return false;
  }

  discard(): void {
    if (this.#states.size > 0) this.#states.clear();
    if (this.#timerChanges.length > 0) this.#timerChanges = [];
    if (this.#emissions.length > 0) this.#emissions = [];
  }

  #call(moment: Moment, code: (context: EventContext<unknown>) => unknown): void {
    this.#moment = moment;
    try {
      const returned = code(this.#context);
      if (returned instanceof Promise)
        throw new TypeError("it returned a promise; it must be done when it returns");
    } finally {
      this.#moment = null;
    }
  }

  /** The one context of all calls; its getters show the call at hand. */
  #makeContext(): EventContext<unknown> {
    const moment = () => this.#current();
    return {
      get key() {
        return moment().key;
      },
      get timeMs() {
        return moment().timeMs;
      },
      get watermarkMs() {
        return moment().watermarkMs;
      },
      state: {
        get: () => this.#getState(),
        set: (value) => this.#setState(value),
        clear: () => void this.#states.set(moment().key, null),
      },
      timers: {
        set: (timeMs) => this.#changeTimer(timeMs, true),
        delete: (timeMs) => this.#changeTimer(timeMs, false),
      },
      emit: (value, window) => this.#emit(value, window),
    };
  }

  #current(): Moment {
    if (this.#moment !== null) return this.#moment;
    throw new Error("the context of a process function was used after the call it was given for");
  }

  #visible(): KeptState | undefined {
    const { key, nowMs } = this.#current();
    const changed = this.#states.get(key);
    const state = changed === undefined ? this.#state.get(key) : (changed ?? undefined);
    return state !== undefined && this.#state.expiryOf(state) > nowMs ? state : undefined;
  }

  #getState(): unknown {
    const state = this.#visible();
    return state === undefined ? undefined : this.#definition.state.form.show(state.kept);
  }

  /** A state that an older event sets again lives on for as long as it would have. */
  #setState(value: unknown): undefined {
    const { key, timeMs } = this.#current();
    const setMs = Math.max(timeMs, this.#visible()?.setMs ?? Number.NEGATIVE_INFINITY);
    this.#states.set(key, { kept: this.#definition.state.form.keep(value), setMs });
  }

  #changeTimer(timeMs: number, set: boolean): undefined {
    const { key, timersAfterMs } = this.#current();
    const whole = Math.ceil(timeMs);
    if (!isDate(whole)) throw new RangeError("a timer's time must be milliseconds since the epoch");
    if (set && this.#definition.functions.onTimer === undefined) {
      throw new TypeError("a timer was set, and the process function has no onTimer");
    }
    // Else a timer could set itself again for ever, and the partition would stand still.
    if (set && whole <= timersAfterMs)
      throw new RangeError("a timer set by a timer must be later than that one");
    this.#timerChanges.push({ key, timeMs: whole, set });
  }

  #emit(value: object, window?: ResultWindow): undefined {
    const { key, timeMs } = this.#current();
    if (window !== undefined) requireWindow(window);
    const text = resultText(value);
    const named = window === undefined ? null : { start: window.start, end: window.end };
    this.#emissions.push({ key, timeMs, text, window: named });
  }
}

function requireWindow({ start, end }: ResultWindow): void {
  if (isDate(start) && isDate(end) && start < end) return;
  throw new RangeError("a result's window must be whole milliseconds, its end after its start");
}

/** A whole number of milliseconds that a date can hold; the one after it as well. */
const isDate = (ms: number): boolean => Number.isInteger(ms) && Math.abs(ms) < MAX_DATE_MS;
