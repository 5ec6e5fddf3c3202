import type { Aggregate, Row } from "./aggregate.ts";
import { NoResultError, requireWhole } from "./errors.ts";
import { readScalar, refuseKeptScalar, type Scalar, writeScalar } from "./scalar.ts";

const DEFAULT_MAX_VALUES = 10_000;
const MOST_VALUES = 1_000_000;

export interface DistinctOptions {
  /** More distinct values than this have no result. 1 to 1,000,000. Default 10,000. */
  readonly maxValues?: number;
}

/** In the slot's place once there were too many: the values are dropped, so that they take no memory for nothing. */
const TOO_MANY = "too many";

/**
 * How many different values: COUNT(DISTINCT …). Exact. Values are text of at most 1,024 bytes or numbers; -0 is 0.
 * State: every value, at most maxValues × 1,024 bytes (as a JavaScript Set some 40 bytes more a value);
 * `distinctApprox` counts any number of them in a few KiB.
 * @throws AggregateOptionError
 * @throws NoResultError from its result: LIMIT_PASSED where there were more than `maxValues`
 */
export function distinct<Event>(
  select: (event: Event) => Scalar,
  { maxValues = DEFAULT_MAX_VALUES }: DistinctOptions = {},
): Aggregate<Event, number, Scalar> {
  requireWhole("maxValues", maxValues, 1, MOST_VALUES);
  return {
    kind: "distinct",
    slots: 1,
    select,
    refuse: refuseKeptScalar,
    create: (row, at) => {
      row[at] = undefined;
    },
    add: (row, at, value) => addValue(row, at, value, maxValues),
    merge: (into, from, at) => {
      if (from[at] === TOO_MANY) into[at] = TOO_MANY;
      else if (from[at] !== undefined) {
        for (const value of from[at] as Set<Scalar>) addValue(into, at, value, maxValues);
      }
    },
    result: (row, at) => {
      const values = row[at] as Slot;
      if (values !== TOO_MANY) return values?.size ?? 0;
      throw new NoResultError(
        "LIMIT_PASSED",
        `there were more than maxValues (${maxValues}) distinct values; raise it, or use distinctApprox`,
      );
    },
    write: (writer, row, at) => {
      const values = row[at] as Slot;
      // 0 stands for too many, so that a count is one more than it is.
      writer.varint(values === TOO_MANY ? 0 : (values?.size ?? 0) + 1);
      if (values instanceof Set) for (const value of values) writeScalar(writer, value);
    },
    read: (reader, row, at) => {
      const size = reader.varint();
      row[at] = size === 0 ? TOO_MANY : undefined;
      for (let left = size - 1; left > 0; left--) {
        addValue(row, at, readScalar(reader), MOST_VALUES);
      }
    },
  };
}

type Slot = Set<Scalar> | typeof TOO_MANY | undefined;

function addValue(row: Row, at: number, value: Scalar, maxValues: number): void {
  const values = row[at] as Slot;
  if (values === TOO_MANY) return;
  if (values === undefined) {
    row[at] = new Set([value]);
  } else {
    values.add(value);
    if (values.size > maxValues) row[at] = TOO_MANY;
  }
}
