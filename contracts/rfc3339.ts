/**
 * RFC 3339 date-times, strictly: JavaScript's own parser takes many other forms, and rolls the 30th of February
 * over into March. Leap seconds (`:60`) are refused, because no JavaScript clock can hold one.
 */

const DATE_TIME =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** Milliseconds since the epoch (digits beyond milliseconds are cut off); undefined where it is no date-time. */
export function parseRfc3339(text: string): number | undefined {
  if (!DATE_TIME.test(text)) return undefined;
  const day = Number(text.slice(8, 10));
  if (day > 28 && day > daysInMonth(Number(text.slice(0, 4)), Number(text.slice(5, 7)))) return undefined;
  return Date.parse(text.toUpperCase());
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
