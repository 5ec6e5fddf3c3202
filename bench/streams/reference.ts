/** What an engine has to come to, calculated plainly: each event in the order of its time, no watermark, nothing late. */
import { GLOBAL_WINDOW } from "../../processors/engine/windows/window.ts";
import { type BenchEvent, eventAt, type Stream } from "./events.ts";
import type { WindowSpec } from "./windows.ts";

export interface Totals {
  count: number;
  sum: number;
  max: number;
}

/** By {@link rowOf}. */
export type Results = Map<string, Totals>;

/** A result's place: the key, and its window's start and end, exclusive. */
export const rowOf = (key: string, start: number, end: number): string => `${key} ${start} ${end}`;

/** @param count how many events of the stream, from its first */
export function expectedResults(stream: Stream, window: WindowSpec, count: number): Results {
  const results: Results = new Map();
  if (window.kind === "session") addSessions(results, stream, window.gapMs, count);
  else for (let index = 0; index < count; index++) addToWindows(results, eventAt(stream, index), window);
  return results;
}

function addToWindows(
  results: Results,
  event: BenchEvent,
  window: Exclude<WindowSpec, { kind: "session" }>,
): void {
  if (window.kind === "global") {
    addToRow(results, rowOf(event.key, GLOBAL_WINDOW.start, GLOBAL_WINDOW.end), event.amount);
    return;
  }
  const advanceMs = window.kind === "hopping" ? window.advanceMs : window.sizeMs;
  const last = Math.floor(event.time / advanceMs) * advanceMs;
  for (let start = last; start + window.sizeMs > event.time; start -= advanceMs) {
    addToRow(results, rowOf(event.key, start, start + window.sizeMs), event.amount);
  }
}

function addToRow(results: Results, row: string, amount: number): void {
  const totals = results.get(row);
  if (totals === undefined) results.set(row, totalsOf(amount));
  else add(totals, amount);
}

function addSessions(results: Results, stream: Stream, gapMs: number, count: number): void {
  const eventsByKey = new Map<string, { readonly time: number; readonly amount: number }[]>();
  for (let index = 0; index < count; index++) {
    const { key, time, amount } = eventAt(stream, index);
    const events = eventsByKey.get(key);
    if (events === undefined) eventsByKey.set(key, [{ time, amount }]);
    else events.push({ time, amount });
  }
  for (const [key, events] of eventsByKey) {
    events.sort((a, b) => a.time - b.time);
    let [first, last] = [events[0]!.time, events[0]!.time];
    let totals = totalsOf(events[0]!.amount);
    for (const { time, amount } of events.slice(1)) {
      // Exactly a gap apart is one session still (docs/design.md, section 4, rule 14).
      if (time - last <= gapMs) add(totals, amount);
      else {
        results.set(rowOf(key, first, last + gapMs), totals);
        [first, totals] = [time, totalsOf(amount)];
      }
      last = time;
    }
    results.set(rowOf(key, first, last + gapMs), totals);
  }
}

export const totalsOf = (amount: number): Totals => ({ count: 1, sum: amount, max: amount });

export function add(totals: Totals, amount: number): void {
  totals.count += 1;
  totals.sum += amount;
  totals.max = Math.max(totals.max, amount);
}
