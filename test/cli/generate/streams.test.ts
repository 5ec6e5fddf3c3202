/** What both generated streams promise: the same bytes for the same options, valid events, a bounded disorder. */
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { clickstream } from "../../../cli/generate/clickstream.ts";
import { OUT_OF_ORDER_MS } from "../../../cli/generate/delivery.ts";
import { deviceTelemetry } from "../../../cli/generate/device-telemetry.ts";
import { userActivity } from "../../../cli/generate/user-activity.ts";
import { HOT_USER_ID } from "../../../cli/generate/users.ts";
import { catalogue } from "../../../contracts/events/catalogue.ts";
import { parseRfc3339 } from "../../../contracts/rfc3339.ts";
import { disorder, generated, idsOf } from "./generated.ts";

const ajv = new Ajv({ strict: true });
const definitions = new Map(
  catalogue.map((definition) => [definition.type, { definition, isValid: ajv.compile(definition.data) }]),
);

describe.each([
  ["clickstream", clickstream],
  ["user-activity", userActivity],
  ["device-telemetry", deviceTelemetry],
])("%s", (topic, stream) => {
  test("the same options give the same lines, another seed gives others", () => {
    const { lines, truth } = generated(stream(), {});

    expect(generated(stream(), {})).toMatchObject({ lines, truth });
    expect(generated(stream(), { seed: 2 }).lines).not.toEqual(lines);
  });

  test("fewer events are the first of more", () => {
    const { lines } = generated(stream(), {});

    expect(generated(stream(), { events: 7_000 }).lines).toEqual(lines.slice(0, 7_000));
  });

  test("every event is one that the door takes to this topic", () => {
    for (const { event } of generated(stream(), { hotShare: 0.1 }).events) {
      const { definition, isValid } = definitions.get(event.type)!;

      expect(definition.topic).toBe(topic);
      expect(isValid(event.data), JSON.stringify(isValid.errors)).toBe(true);
      expect(parseRfc3339(event.time)).toBeDefined();
      expect(event).toMatchObject({ specversion: "1.0", partitionkey: event.data[definition.partitionKey] });
    }
  });

  test("only what is stated as late comes later than the bound allows, and much comes out of order", () => {
    const { events, truth } = generated(stream(), { events: 100_000 });
    const late = new Set(idsOf(truth, "late"));

    const behindMs = disorder(events);
    const beyond = events.filter((_, index) => behindMs[index]! >= OUT_OF_ORDER_MS);
    const outOfOrder = behindMs.filter((ms) => ms > 0).length;

    expect(beyond.filter(({ event }) => !late.has(event.id))).toEqual([]);
    expect(late.size / events.length).toBeGreaterThan(0.0005);
    expect(late.size / events.length).toBeLessThan(0.005);
    expect(new Set(beyond.map(({ event }) => event.id)).size / late.size).toBeGreaterThan(0.9);
    expect(outOfOrder / events.length).toBeGreaterThan(0.2);
  });

  test("what comes again is stated as a duplicate, and is the same to the byte", () => {
    const { lines, events, truth } = generated(stream(), {});
    const seen = new Map<string, string>();
    const again: string[] = [];
    for (const [index, { event }] of events.entries()) {
      if (seen.has(event.id)) again.push(event.id);
      else seen.set(event.id, lines[index]!);
      expect(lines[index]).toBe(seen.get(event.id));
    }

    expect(again).toEqual(idsOf(truth, "duplicate"));
    expect(again.length / events.length).toBeCloseTo(0.01, 2);
  });

  test("a hot user makes the share of the events that it was given", () => {
    const { events } = generated(stream(), { hotShare: 0.9 });

    const hot = events.filter(({ event }) => event.partitionkey === HOT_USER_ID).length;

    expect(hot / events.length).toBeCloseTo(0.9, 2);
  });

  test("users are uneven: a tenth of them makes most events, the first of them not all", () => {
    const { events } = generated(stream(), { events: 50_000 });
    const byUser = new Map<string, number>();
    for (const { event } of events) byUser.set(event.subject!, (byUser.get(event.subject!) ?? 0) + 1);

    const counts = [...byUser.values()].sort((a, b) => b - a);
    const mostZealous = counts.slice(0, 200).reduce((sum, count) => sum + count, 0);

    expect(mostZealous / events.length).toBeGreaterThan(0.5);
    expect(counts[0]! / events.length).toBeLessThan(0.1);
    expect(byUser.has(HOT_USER_ID)).toBe(false);
  });

  test("the afternoon has several times the events of the small hours", () => {
    const perHour = new Array<number>(24).fill(0);
    for (const { timeMs } of generated(stream(), { events: 100_000 }).events) {
      perHour[new Date(timeMs).getUTCHours()]! += 1;
    }

    const sum = (from: number) => perHour[from]! + perHour[from + 1]! + perHour[from + 2]!;

    expect(sum(15) / sum(3)).toBeGreaterThan(3);
  });

  test.each([1, 2])("%i users are enough", (users) => {
    const { events } = generated(stream(), { events: 2_000, users });

    expect(events).toHaveLength(2_000);
    expect(new Set(events.map(({ event }) => event.subject)).size).toBe(users);
  });
});

test("sessions are mostly short, with a long tail", () => {
  const { events } = generated(clickstream(), { events: 100_000, users: 20_000 });
  const viewsByUser = Map.groupBy(events, ({ event }) => event.data.userId);
  const lengths = [...viewsByUser.values()].flatMap((views) =>
    sessionLengths(views.map(({ timeMs }) => timeMs).sort((a, b) => a - b)),
  );
  lengths.sort((a, b) => a - b);

  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(4);
  expect(lengths.at(-1)).toBeGreaterThan(50);
});

/** Page views of each session: one ends where half an hour passes without any. */
function sessionLengths(sortedMs: readonly number[]): readonly number[] {
  const lengths = [0];
  for (const [index, timeMs] of sortedMs.entries()) {
    if (index > 0 && timeMs - sortedMs[index - 1]! > 30 * 60_000) lengths.push(0);
    lengths[lengths.length - 1]! += 1;
  }
  return lengths;
}
