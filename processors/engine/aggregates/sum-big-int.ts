/** The exact sum of integers of any size. */
import type { Aggregate } from "./aggregate.ts";

/** One value may have this many bits: 308 decimal digits, the range of a float64. */
const MAX_BITS = 1_024;
const LIMIT = 2n ** BigInt(MAX_BITS);

/**
 * The sum of bigints, exact. JSON has no bigint, so the result is text in decimal: `"-12345678901234567890"`.
 * Use `sum` for numbers. A value of more than 1,024 bits is refused; so the state is at most 1,024 bits and one
 * more for each doubling of the number of events.
 */
export function sumBigInt<Event>(select: (event: Event) => bigint): Aggregate<Event, string, bigint> {
  const add: Aggregate<Event, string, bigint>["add"] = (row, at, value) => {
    row[at] = (row[at] as bigint) + value;
  };
  return {
    kind: "sumBigInt",
    slots: 1,
    select,
    refuse,
    create: (row, at) => {
      row[at] = 0n;
    },
    add,
    merge: (into, from, at) => add(into, at, from[at] as bigint, 0),
    result: (row, at) => String(row[at]),
    write: (writer, row, at) => writer.text(String(row[at])),
    read: (reader, row, at) => {
      row[at] = BigInt(reader.text());
    },
  };
}

function refuse(value: unknown): string | undefined {
  if (typeof value !== "bigint") return "is not a bigint";
  return value < LIMIT && value > -LIMIT ? undefined : `has more than ${MAX_BITS} bits`;
}
