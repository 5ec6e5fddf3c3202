/** What an aggregate can fail with. Each message says what was wrong and what to do. */

/** An aggregate was asked for with an option that it cannot have; thrown when the pipeline is made. */
export class AggregateOptionError extends Error {
  override readonly name = "AggregateOptionError";
  readonly code = "AGGREGATE_OPTION_INVALID";
}

export type NoResultCode =
  /** A sum of whole numbers left the range in which a number holds each of them. */
  | "UNSAFE_INTEGER"
  /** A calculation left the range of a float64. */
  | "FLOAT64_OVERFLOW"
  /** A limit of what may be kept was passed, so the result is not known. */
  | "LIMIT_PASSED"
  /** A user-defined aggregate threw where its element was part of the state already. */
  | "ADD_FAILED"
  /** A user-defined aggregate returned what JSON cannot show. */
  | "NOT_JSON";

/** A result cannot be told; the pane goes to the dead letters. */
export class NoResultError extends Error {
  override readonly name = "NoResultError";
  readonly code: NoResultCode;
  constructor(code: NoResultCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws AggregateOptionError unless `value` is a whole number from `least` to `most` */
export function requireWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new AggregateOptionError(`${option} is ${value}; it must be a whole number from ${least} to ${most}`);
}
