/** What the aggregates share whose slots are all numbers. */
import type { Aggregate } from "./aggregate.ts";
import { NoResultError } from "./errors.ts";

/** `refuse` for numbers. */
export function refuseNumber(value: unknown): string | undefined {
  return Number.isFinite(value) ? undefined : "is not a finite number";
}

/** Slots that are written as one float64 each, 8 bytes. */
export function numberSlots(slots: number): Pick<Aggregate<unknown>, "slots" | "write" | "read"> {
  return {
    slots,
    write: (writer, row, at) => {
      for (let slot = at; slot < at + slots; slot++) writer.float64(row[slot] as number);
    },
    read: (reader, row, at) => {
      for (let slot = at; slot < at + slots; slot++) row[slot] = reader.float64();
    },
  };
}

/** @throws NoResultError where a calculation over finite numbers is not finite any more */
export function requireFinite(kind: string, result: number): number {
  if (Number.isFinite(result)) return result;
  throw new NoResultError(
    "FLOAT64_OVERFLOW",
    `the ${kind} left the range of a float64 (1.8e308); select values of a larger unit`,
  );
}
