/** Events on their way into the spillway stream. */
import { expect, it } from "vitest";
import { Spillway } from "../../../lambdas/ingest/spillway.ts";
import { SpillwayUnavailableError } from "../../../runtime/errors.ts";
import { FakeStream } from "../support/fake-stream.ts";

const TIMEOUT_MS = 5_000;
const origin = { arrivalMs: 1, producer: "test" };

const event = (key: string, value: string | Buffer) => ({
  topic: "flights",
  key: Buffer.from(key),
  value: Buffer.from(value),
});

function opened(): { stream: FakeStream; spillway: Spillway } {
  const stream = new FakeStream();
  return { stream, spillway: new Spillway({ client: stream, streamName: "spillway", random: () => 0 }) };
}

it("packs a request's events into one record, in their order", async () => {
  const { stream, spillway } = opened();
  await spillway.put({ ...origin, events: [event("a", "1"), event("b", "2"), event("a", "3")] }, TIMEOUT_MS);
  expect(stream.taken).toHaveLength(1);
  expect(stream.events.map(({ value }) => String(value))).toEqual(["1", "2", "3"]);
});

it("sends only those records again that were refused", async () => {
  const { stream, spillway } = opened();
  stream.next.push(
    () => [1],
    () => [0],
  );
  const large = Buffer.alloc(700 * 1024);
  await spillway.put({ ...origin, events: [event("a", large), event("b", large)] }, TIMEOUT_MS);
  expect(stream.requests.map(({ length }) => length)).toEqual([2, 1, 1]);
  expect(stream.events.map(({ key }) => String(key))).toEqual(["a", "b"]);
});

it("spreads requests over the stream's shards", async () => {
  const stream = new FakeStream();
  const numbers = [0.1, 0.2, 0.3, 0.4, 0.5];
  const spillway = new Spillway({
    client: stream,
    streamName: "spillway",
    random: () => numbers.shift()!,
  });
  for (let request = 0; request < 5; request++) {
    await spillway.put({ ...origin, events: [event("a", "1")] }, TIMEOUT_MS);
  }
  expect(new Set(stream.taken.map(({ PartitionKey }) => PartitionKey)).size).toBe(5);
});

it("sends all again where the whole request failed", async () => {
  const { stream, spillway } = opened();
  stream.next.push(() => Promise.reject(new Error("reset")));
  await spillway.put({ ...origin, events: [event("a", "1")] }, TIMEOUT_MS);
  expect(stream.events).toHaveLength(1);
});

it("gives up at the deadline where every record is refused every time", async () => {
  const { stream, spillway } = opened();
  stream.always = (records) => records.map((_, index) => index);
  await expect(spillway.put({ ...origin, events: [event("a", "1")] }, 20)).rejects.toThrow(
    SpillwayUnavailableError,
  );
  expect(stream.taken).toEqual([]);
});

it("keeps each request under 500 records and 5 MiB", async () => {
  const { stream, spillway } = opened();
  const large = Buffer.alloc(500 * 1024);
  const events = Array.from({ length: 40 }, (_, index) => event(`key-${index}`, large));
  await spillway.put({ ...origin, events }, TIMEOUT_MS);
  expect(stream.events).toHaveLength(40);
  expect(stream.requests.length).toBeGreaterThan(1);
  for (const request of stream.requests) {
    expect(request.length).toBeLessThanOrEqual(500);
    const bytes = request.reduce(
      (sum, { Data, PartitionKey }) => sum + Data!.length + PartitionKey!.length,
      0,
    );
    expect(bytes).toBeLessThanOrEqual(5 * 1024 * 1024);
  }
});
