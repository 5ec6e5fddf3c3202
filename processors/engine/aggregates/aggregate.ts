/**
 * An aggregate keeps a fixed number of float64 slots in a row. Taking a value from an event (user code, may
 * throw) is apart from adding it (engine code, never throws), so that an event whose third selector fails has
 * not already changed the first two.
 */
export interface Aggregate<Event, Result = number> {
  /** What the slots mean; part of the state's schema: another kind under the same name is incompatible. */
  readonly kind: string;
  readonly slots: number;
  /** The value this event contributes. A value that is not a finite number is refused by the task. */
  select(event: Event): number;
  /** Writes the empty aggregate into `row` from slot `at`. */
  create(row: number[], at: number): void;
  add(row: number[], at: number, value: number): void;
  result(row: readonly number[], at: number): Result;
}
