import fc from "fast-check";
import { expect, test } from "vitest";
import { inDisorder, run, scripts } from "../scripted-run.ts";
import { arrivalsOf, correlating, lineOf, type Part } from "./correlate-fixture.ts";

const WITHIN_MS = 12;
const NAMES = ["a", "b", "c"] as const;

const sumIsEven = (events: readonly Part[]): boolean => events.reduce((sum, { v }) => sum + v!, 0) % 2 === 0;

/** What a correlation says of one key, from the whole stream: events one by one in their order, every combination. */
function slowly(
  key: string,
  events: readonly Part[],
  where: (events: readonly Part[]) => boolean,
): [number, string][] {
  const rows: [number, string][] = [];
  let waiting: { readonly event: Part; told: boolean }[] = [];
  const row = (atMs: number, found: readonly Part[]) => {
    const start = Math.min(...found.map(({ t }) => t));
    const missing = NAMES.filter((name) => found.every(({ part }) => part !== name));
    const present = [...found].sort(byPart).map(({ part, t }) => `${part}${t}`);
    const absent = missing.length === 0 ? [] : ["- missing", ...missing];
    rows.push([atMs, [key, `${start}..${start + WITHIN_MS}`, ...present, ...absent].join(" ")]);
  };
  const expire = (untilMs: number) => {
    while (waiting.length > 0 && waiting[0]!.event.t + WITHIN_MS <= untilMs) {
      const [first, ...rest] = waiting;
      const others = NAMES.filter((name) => name !== first!.event.part).flatMap(
        (name) => rest.find(({ event }) => event.part === name) ?? [],
      );
      if (!first!.told) {
        if (others.length < 2)
          row(first!.event.t + WITHIN_MS, [first!.event, ...others.map(({ event }) => event)]);
        for (const other of others) other.told = true;
      }
      waiting = rest;
    }
  };
  for (const event of [...events].sort(inOrder)) {
    expire(event.t);
    waiting.push({ event, told: false });
    const choices = NAMES.map((name) =>
      name === event.part ? [event] : waiting.map((each) => each.event).filter(({ part }) => part === name),
    );
    const all = choices[0]!.flatMap((a) => choices[1]!.flatMap((b) => choices[2]!.map((c) => [a, b, c])));
    const match = all.find(where);
    if (match === undefined) continue;
    row(event.t + 1, match);
    waiting = waiting.filter((each) => !match.includes(each.event));
  }
  expire(Number.POSITIVE_INFINITY);
  return rows;
}

const byPart = (a: Part, b: Part): number => (a.part < b.part ? -1 : 1);

/** By time, then part, then content. */
function inOrder(a: Part, b: Part): number {
  if (a.t !== b.t) return a.t - b.t;
  if (a.part !== b.part) return byPart(a, b);
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

const part = fc.record({
  key: fc.constantFrom("k", "l"),
  t: fc.integer({ min: -20, max: 60 }),
  part: fc.constantFrom(...NAMES),
  v: fc.nat(9),
});

test.each([
  ["without a predicate", undefined],
  ["with one", sumIsEven],
])("results %s are those of every combination, in any order below the bound", (_, where) => {
  const disorder = fc.record({
    boundMs: fc.constantFrom(0, 5, 40),
    delays: fc.array(fc.nat(), { minLength: 1 }),
  });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 40 }),
      disorder,
      scripts,
      (events, { boundMs, delays }, script) => {
        const options =
          where === undefined
            ? {}
            : { where: ({ a, b, c }: { a: Part; b: Part; c: Part }) => where([a, b, c]) };
        const definition = correlating({ withinMs: WITHIN_MS, ...options }, boundMs);
        const inTime = [...events].sort((a, b) => a.t - b.t);

        const orderly = run(definition, arrivalsOf(inTime));
        const disorderly = run(definition, arrivalsOf(inDisorder(inTime, delays, boundMs)), script);

        const expected = ["k", "l"].flatMap((key) =>
          slowly(
            key,
            events.filter((each) => each.key === key),
            where ?? (() => true),
          ),
        );
        expect(orderly.late).toEqual([]);
        expect(orderly.results.map(lineOf).sort()).toEqual(expected.map(([, line]) => line).sort());
        expect(orderly.results.length).toBe(new Set(orderly.results.map(identity)).size);
        expect(disorderly).toEqual(orderly);
      },
    ),
    { numRuns: 300 },
  );
});

const identity = ({
  key,
  window,
  pane,
}: {
  key: string;
  window: { start: number; end: number };
  pane?: number;
}) => `${key} ${window.start} ${window.end} ${pane}`;
