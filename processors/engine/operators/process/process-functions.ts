/** What a pipeline's process step is made of: the functions that its author writes, and what they are given. */
import type { KeyedState } from "./keyed-state.ts";

/** The state of the key at hand. */
export interface StateOfKey<View> {
  /** Frozen all the way down, unless a codec makes it; undefined where there is none. */
  get(): View | undefined;
  /** Replaces the state with a copy of the value. Throws where it cannot be kept. */
  set(value: View): undefined;
  clear(): undefined;
}

/** Event-time timers of the key at hand, at most one for each time. */
export interface TimersOfKey {
  /** `onTimer` is called once the watermark reaches the time, rounded up to a whole millisecond. */
  set(timeMs: number): undefined;
  delete(timeMs: number): undefined;
}

/** Milliseconds since the epoch, whole; end exclusive. */
export interface ResultWindow {
  readonly start: number;
  readonly end: number;
}

/**
 * Emits a result, an object of plain JSON. Without a window it is a row of its own, at the millisecond of the event
 * or the timer. With one it is the row of that key and window, and replaces what was emitted for these before.
 */
export type Emit<Result extends object = object> = (value: Result, window?: ResultWindow) => undefined;

export interface TimerContext<View, Result extends object = object> {
  readonly key: string;
  /** Every event up to this time has come, but for late ones; minus infinity before the first event. */
  readonly watermarkMs: number;
  readonly state: StateOfKey<View>;
  readonly timers: TimersOfKey;
  readonly emit: Emit<Result>;
}

export interface EventContext<View, Result extends object = object> extends TimerContext<View, Result> {
  /** The event's time, milliseconds since the epoch. */
  readonly timeMs: number;
}

/**
 * Functions that run one after the other for the events and timers of a key. They may only use what they are given:
 * no clock, no I/O, nothing that outlives the call, and no promise. The context is valid during the call.
 */
export interface ProcessFunctions<Event, View, Result extends object = object> {
  /** Default: none. */
  readonly state?: KeyedState<View>;
  /**
   * Events come in their order of arrival, also those that others would call late: compare `timeMs` with
   * `watermarkMs`. Whatever it throws dead-letters the event, of which nothing stays.
   */
  readonly onEvent: (event: Event, context: EventContext<View, Result>) => undefined;
  /**
   * Timers are called in order of time, then of key, once the watermark has reached them. They see the state as all
   * events that came until then left it, also events of later times: the one that moves the watermark is applied before
   * the timers that it makes due. A timer that is set here must be later than `timeMs`, the one at hand. Whatever it
   * throws dead-letters key, time and state.
   */
  readonly onTimer?: (timeMs: number, context: TimerContext<View, Result>) => undefined;
}
