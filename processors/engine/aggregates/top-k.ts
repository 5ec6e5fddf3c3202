import type { Aggregate } from "./aggregate.ts";
import { AggregateOptionError, requireWhole } from "./errors.ts";
import { requireFinite } from "./numbers.ts";
import { Refusal, reasonOf } from "./refusal.ts";
import { refuseKeptScalar, type Scalar } from "./scalar.ts";
import { type Counter, SpaceSaving } from "./space-saving.ts";

const MOST_K = 1_000;
const MOST_CAPACITY = 10_000;
/** So that the counters' error is at most a tenth of an even share of the whole among k values. */
const DEFAULT_COUNTERS_PER_K = 10;

export interface TopKOptions<Event> {
  /** How many values the result names, 1 to 1,000. */
  readonly k: number;
  /** What an event counts for, zero or more. Default 1. */
  readonly by?: (event: Event) => number;
  /** Counters kept, k to 10,000. Default 10 × k. */
  readonly capacity?: number;
}

/**
 * The most frequent values, or the heaviest by the weight `by`: Flink's and Druid's "top n", the frequent items of
 * DataSketches. (ksqlDB's TOPK is another thing: the largest values.) By Space-Saving.
 *
 * The result lists at most k `{ value, count, maxError }`, highest count first; of equal counts the smaller
 * maxError, then numbers before text and by size. The true count is from count - maxError to count. While there
 * are no more different values than `capacity`, all of it is exact. After that maxError is at most the whole
 * weight / capacity, and every value heavier than that has a counter.
 *
 * Values are text of at most 1,024 bytes, or numbers. State: at most capacity × (1,024 bytes and two float64s).
 * Merging keeps the guarantees. `capacity` is part of the state's meaning; k alone may change with it given.
 * @throws AggregateOptionError
 * @throws NoResultError from its result: FLOAT64_OVERFLOW where weights sum to more than a float64 holds
 */
export function topK<Event, Value extends Scalar>(
  select: (event: Event) => Value,
  { k, by, capacity = k * DEFAULT_COUNTERS_PER_K }: TopKOptions<Event>,
): Aggregate<Event, Counter[], Scalar | Weighted | Refusal> {
  requireWhole("k", k, 1, MOST_K);
  requireWhole("capacity", capacity, k, MOST_CAPACITY);
  if (by !== undefined && typeof by !== "function") throw new AggregateOptionError("by is not a function");
  const sketchOf = (slot: unknown) => (slot as SpaceSaving | undefined) ?? new SpaceSaving(capacity);
  return {
    kind: `topK(capacity=${capacity})`,
    slots: 1,
    select:
      by === undefined ? (event) => scalarOf(select(event)) : (event) => weightedOf(select(event), by(event)),
    refuse: reasonOf,
    create: (row, at) => {
      row[at] = undefined;
    },
    add: (row, at, value) => {
      const sketch = sketchOf(row[at]);
      if (value instanceof Weighted) sketch.add(value.value, value.weight);
      else sketch.add(value as Scalar, 1);
      row[at] = sketch;
    },
    merge: (into, from, at) => {
      if (from[at] === undefined) return;
      const sketch = sketchOf(into[at]);
      sketch.merge(from[at] as SpaceSaving);
      into[at] = sketch;
    },
    result: (row, at) => {
      const counters = sketchOf(row[at]).ranked().slice(0, k);
      for (const { count } of counters) requireFinite("weight of topK", count);
      return counters;
    },
    write: (writer, row, at) => sketchOf(row[at]).write(writer),
    read: (reader, row, at) => {
      const sketch = SpaceSaving.read(reader, capacity);
      row[at] = sketch.size === 0 ? undefined : sketch;
    },
  };
}

class Weighted {
  readonly value: Scalar;
  readonly weight: number;
  constructor(value: Scalar, weight: number) {
    this.value = value;
    this.weight = weight;
  }
}

function scalarOf(value: Scalar): Scalar | Refusal {
  const problem = refuseKeptScalar(value);
  return problem === undefined ? value : new Refusal(problem);
}

function weightedOf(value: Scalar, weight: number): Weighted | Refusal {
  const problem = refuseKeptScalar(value);
  if (problem !== undefined) return new Refusal(problem);
  if (Number.isFinite(weight) && weight >= 0) return new Weighted(value, weight);
  return new Refusal("has a weight that is negative or not a finite number");
}
