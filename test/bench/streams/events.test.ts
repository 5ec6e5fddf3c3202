import { describe, expect, it } from "vitest";
import {
  closingEvents,
  eventAt,
  isClosing,
  OUT_OF_ORDER_MS,
  PARTITIONS,
  partitionOfEvent,
  type Stream,
} from "../../../bench/streams/events.ts";

const random: Stream = { topic: "events", keys: 10_000, order: "random" };
const each: Stream = { topic: "events", keys: 1_000, order: "each" };
const first = (stream: Stream, count: number) =>
  Array.from({ length: count }, (_, index) => eventAt(stream, index));

describe("the events of the benchmark", () => {
  it("are the same whenever they are made", () => {
    expect(first(random, 100)).toEqual(first(random, 100));
    expect(eventAt(random, 7)).toEqual({
      id: "event-0000000007",
      key: expect.stringMatching(/^key-\d{7}$/),
      time: expect.any(Number),
      amount: expect.any(Number),
      kind: expect.any(String),
      currency: "EUR",
    });
  });

  it("are about 110 bytes of JSON", () => {
    const sizes = first(random, 1_000).map((event) => JSON.stringify(event).length);
    expect(Math.min(...sizes)).toBeGreaterThan(100);
    expect(Math.max(...sizes)).toBeLessThan(120);
  });

  it("come 10,000 a second, and none is later than what an engine waits for", () => {
    const times = first(random, 50_000).map(({ time }) => time);
    let largest = Number.NEGATIVE_INFINITY;
    let latestMs = 0;
    for (const time of times) {
      largest = Math.max(largest, time);
      latestMs = Math.max(latestMs, largest - time);
    }
    expect(latestMs).toBeLessThanOrEqual(OUT_OF_ORDER_MS);
    expect(latestMs).toBeGreaterThan(OUT_OF_ORDER_MS / 2);
    const spanMs = largest - Math.min(...times);
    expect(spanMs).toBeGreaterThan(5_000);
    expect(spanMs).toBeLessThanOrEqual(5_000 + OUT_OF_ORDER_MS);
  });

  it("use nearly all keys where they are random, and each key once a turn where it says so", () => {
    expect(new Set(first(random, 100_000).map(({ key }) => key)).size).toBeGreaterThan(9_990);
    expect(new Set(first(each, 1_000).map(({ key }) => key)).size).toBe(1_000);
  });

  it("are spread over all partitions", () => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (const event of first(random, 20_000)) counts[partitionOfEvent(event)]! += 1;
    for (const count of counts) expect(count).toBeGreaterThan(4_000);
  });

  it("end with one for each partition that closes what is open, later in each round", () => {
    const [one, other] = [closingEvents(1_000, 0), closingEvents(1_000, 1)];
    expect(one.map(partitionOfEvent)).toEqual([0, 1, 2, 3]);
    const last = Math.max(...first(random, 1_000).map(({ time }) => time));
    expect(one[0]!.time - last).toBeGreaterThan(600_000 + OUT_OF_ORDER_MS);
    expect(other[0]!.time).toBeGreaterThan(one[0]!.time);
    expect(one.every(({ key }) => isClosing(key))).toBe(true);
    expect(isClosing(eventAt(random, 0).key)).toBe(false);
  });
});
