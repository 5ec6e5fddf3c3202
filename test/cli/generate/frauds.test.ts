/** The frauds of user-activity against a search of everybody's events that knows nothing of how they were made. */
import { expect, test } from "vitest";
import { distanceKm } from "../../../cli/generate/places.ts";
import type { Truth } from "../../../cli/generate/traffic.ts";
import { userActivity } from "../../../cli/generate/user-activity.ts";
import { type Generated, generated, idsOf, type Read } from "./generated.ts";

const WITHIN_MS = 10 * 60_000;
/** As far as an airliner flies in ten minutes. */
const IMPOSSIBLE_KM = 170;
const PARTS = ["login.succeeded", "payment.made", "location.reported"] as const;

const stream = generated(userActivity(), { events: 200_000, users: 3_000 });
const frauds = stream.truth.filter(({ kind }) => kind === "fraud") as unknown as readonly Fraud[];

interface Fraud extends Truth {
  readonly userId: string;
  readonly signal: boolean;
  readonly apart: boolean;
  readonly missing: readonly string[];
  readonly parts: Readonly<Record<string, string>>;
  readonly firstMs: number;
  readonly lastMs: number;
}

test("a search finds the stated signals and no others", () => {
  const stated = frauds.filter(({ signal }) => signal).map(({ parts }) => PARTS.map((part) => parts[part]));

  expect(stated.length).toBeGreaterThan(100);
  expect(signalsBySearch(stream)).toEqual(stated.map((ids) => ids.join(" ")).sort());
});

test("frauds are a small share, of which some have any part missing, and some come apart", () => {
  const size = (holds: (fraud: Fraud) => boolean) => frauds.filter(holds).length;

  expect(frauds.length / stream.events.length).toBeLessThan(0.01);
  expect(size(({ signal }) => signal) / frauds.length).toBeCloseTo(0.6, 1);
  for (const part of PARTS) expect(size(({ missing }) => missing.includes(part))).toBeGreaterThan(10);
  expect(size(({ apart }) => apart)).toBeGreaterThan(10);
});

test("the parts of a fraud happen and arrive in any order", () => {
  const at = new Map(stream.events.map(({ event }, index) => [event.id, index]));
  const whole = frauds.filter(({ missing }) => missing.length === 0);
  const orderBy = (value: (id: string) => number) => (fraud: Fraud) =>
    [...PARTS].sort((a, b) => value(fraud.parts[a]!) - value(fraud.parts[b]!)).join(" ");

  expect(new Set(whole.map(orderBy((id) => at.get(id)!))).size).toBe(6);
  expect(new Set(whole.map(orderBy((id) => stream.events[at.get(id)!]!.timeMs))).size).toBe(6);
  expect(
    whole.filter(
      (f) => orderBy((id) => at.get(id)!)(f) !== orderBy((id) => stream.events[at.get(id)!]!.timeMs)(f),
    ),
  ).not.toHaveLength(0);
});

test("no part of a fraud is late", () => {
  const late = new Set(idsOf(stream.truth, "late"));

  expect(frauds.flatMap(({ parts }) => Object.values(parts)).filter((id) => late.has(id))).toEqual([]);
});

test("the user is quiet around a fraud for longer than it is looked across", () => {
  const byUser = Map.groupBy(stream.events, ({ event }) => event.data.userId);
  for (const { userId, parts, firstMs, lastMs } of frauds) {
    const ids = new Set(Object.values(parts));
    const near = byUser
      .get(userId)!
      .filter(({ timeMs }) => timeMs >= firstMs - WITHIN_MS && timeMs <= lastMs + WITHIN_MS);
    expect(new Set(near.map(({ event }) => event.id))).toEqual(ids);
  }
});

test("a fraud that the end of the stream cuts short is no signal", () => {
  const cut = frauds.find(({ signal }) => signal)!;
  const idsCut = new Set(Object.values(cut.parts));
  const last = stream.events.findLastIndex(({ event }) => idsCut.has(event.id));
  const first = stream.events.findIndex(({ event }) => event.id === stream.events[last]!.event.id);

  const { truth } = generated(userActivity(), { events: first, users: 3_000 });

  const stated = truth.find(
    ({ kind, userId, firstMs }) => kind === "fraud" && userId === cut.userId && firstMs === cut.firstMs,
  );
  expect(stated).toMatchObject({ signal: false, missing: [stream.events[first]!.event.type] });
});

/** Ids of every login, payment and location of one user within ten minutes that fit a fraud, tried one by one. */
function signalsBySearch({ events }: Generated): readonly string[] {
  const unique = [...new Map(events.map((read) => [read.event.id, read])).values()];
  const found: string[] = [];
  for (const [, activities] of Map.groupBy(unique, ({ event }) => event.data.userId)) {
    const of = (type: string) => activities.filter(({ event }) => event.type === type);
    const payments = of("payment.made");
    const locations = of("location.reported");
    for (const login of of("login.succeeded").filter(({ event }) => event.data.newDevice)) {
      for (const payment of payments) {
        for (const location of locations) {
          if (isFraud(login, payment, location))
            found.push([login, payment, location].map(({ event }) => event.id).join(" "));
        }
      }
    }
  }
  return found.sort();
}

function isFraud(login: Read, payment: Read, location: Read): boolean {
  const timesMs = [login.timeMs, payment.timeMs, location.timeMs];
  if (Math.max(...timesMs) - Math.min(...timesMs) > WITHIN_MS) return false;
  const { place } = login.event.data as { place?: Parameters<typeof distanceKm>[0] };
  if (place === undefined) return false;
  return (
    distanceKm(place, location.event.data as unknown as Parameters<typeof distanceKm>[0]) > IMPOSSIBLE_KM
  );
}
