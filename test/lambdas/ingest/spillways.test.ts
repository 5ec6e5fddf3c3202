/** Events of high priority have a stream of their own. */
import { beforeEach, expect, it } from "vitest";
import { Spillway } from "../../../lambdas/ingest/spillway.ts";
import { Spillways } from "../../../lambdas/ingest/spillways.ts";
import { SpillwayUnavailableError } from "../../../runtime/errors.ts";
import { FakeStream } from "../support/fake-stream.ts";

const TIMEOUT_MS = 5_000;
const SHORT_MS = 20;
const origin = { arrivalMs: 1, producer: "test" };
const away = () => Promise.reject(new Error("away"));

const event = (topic: string, value: string) => ({ topic, key: Buffer.from("k"), value: Buffer.from(value) });
const [flight1, view, flight2] = [event("flights", "1"), event("clickstream", "2"), event("flights", "3")];
const [login1, login2] = [event("user-activity", "4"), event("user-activity", "5")];

let high: FakeStream;
let others: FakeStream;
let spillways: Spillways;
beforeEach(() => {
  high = new FakeStream();
  others = new FakeStream();
  const opened = (client: FakeStream) => new Spillway({ client, streamName: "s", random: () => 0 });
  spillways = new Spillways(opened(high), opened(others));
});

it("puts each event on the stream of its topic's priority, in their order", async () => {
  await spillways.put({ ...origin, events: [flight1, login1, view, login2, flight2] }, TIMEOUT_MS);
  expect(high.batches).toEqual([{ ...origin, events: [login1, login2] }]);
  expect(others.batches).toEqual([{ ...origin, events: [flight1, view, flight2] }]);
});

it.each([
  ["high", [login1], 1, 0],
  ["another", [flight1], 0, 1],
])("asks no other stream where all are of %s priority", async (_, events, ofHigh, ofOthers) => {
  await spillways.put({ ...origin, events }, TIMEOUT_MS);
  expect([high.requests.length, others.requests.length]).toEqual([ofHigh, ofOthers]);
});

it("takes none for stored where one of the streams does not take its part", async () => {
  others.always = away;
  const put = spillways.put({ ...origin, events: [flight1, login1] }, SHORT_MS);
  await expect(put).rejects.toThrow(SpillwayUnavailableError);
});

it("stores what is of high priority while the stream of the others is away", async () => {
  others.always = away;
  await spillways.put({ ...origin, events: [login1] }, SHORT_MS);
  expect(high.events).toEqual([login1]);
});
