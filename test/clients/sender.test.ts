import { describe, expect, it } from "vitest";
import { EventTooLargeError, SenderClosedError } from "../../clients/sender.ts";
import { maxBodyBytes, maxEventBytes } from "../../contracts/limits.ts";
import { accept, answer, type Behaviour, hang, judge, problem, reset } from "./fake-door.ts";
import { event, Sending } from "./sending.ts";

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

const loaded = (load: string): Behaviour => accept({ backpressure: load });
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

/** Sends without waiting for room. */
const sendMany = (sending: Sending, count: number): void => {
  for (const id of ids(0, count - 1)) void sending.sender.send(event(id));
};

describe("batches", () => {
  it("hold maxBatchEvents, and what is left when the first has lingered", async () => {
    const sending = new Sending([], { maxBatchEvents: 4, lingerMs: 50 });
    sendMany(sending, 10);
    await sending.clock.pass(49);
    expect(sending.batches).toEqual([4, 4]);
    await sending.clock.pass(1);
    expect(sending.batches).toEqual([4, 4, 2]);
    expect(sending.delivered).toEqual(ids(0, 9));
    expect(sending.door.requests[0]!.headers["content-type"]).toBe("application/cloudevents-batch+json");
  });

  it("go at once when flush is called, which resolves when what was taken has ended", async () => {
    const sending = new Sending([], { lingerMs: 60_000 });
    sendMany(sending, 3);
    expect(await sending.clock.until(sending.sender.flush(1_000))).toBe(true);
    expect(sending.delivered).toEqual(ids(0, 2));
    expect({ nowMs: sending.clock.nowMs(), timers: sending.clock.timers }).toEqual({ nowMs: 0, timers: 0 });
  });

  it("hold no more bytes than a request may", async () => {
    const sending = new Sending([]);
    const note = "x".repeat(maxEventBytes - 1_000);
    for (const id of ids(0, 19)) void sending.sender.send(event(id, note));
    await sending.clock.pass(51);
    void sending.sender.send(event("20"));
    await sending.clock.pass(49);
    expect(sending.batches).toEqual([8, 8, 4]);
    await sending.clock.pass(2);
    expect(sending.batches).toEqual([8, 8, 4, 1]);
    expect(8 * maxEventBytes).toBe(maxBodyBytes);
    expect(sending.delivered).toEqual(ids(0, 20));
  });

  it("hold the events as they were when they were sent", async () => {
    const sending = new Sending([]);
    const changed = { ...event("before") };
    void sending.sender.send(changed);
    changed.id = "after";
    await sending.clock.until(sending.sender.close(1_000));
    expect(sending.door.requests[0]!.ids).toEqual(["before"]);
  });
});

describe("the load that answers tell of", () => {
  it("makes batches smaller, and larger again a little with each answer without load", async () => {
    const script = [loaded("0.70"), loaded("1.00"), loaded("1.40"), loaded("0.20"), loaded("0.20")];
    const sending = new Sending(script, { maxBatchEvents: 100 });
    sendMany(sending, 600);
    await sending.clock.until(sending.sender.close(1_000));
    expect(sending.batches.slice(0, 6)).toEqual([100, 100, 70, 35, 36, 37]);
    expect(sending.delivered).toEqual(ids(0, 599));
  });

  it.each<[what: string, Behaviour, second: number]>([
    ["a bare 429 is a full load", answer(429), 70],
    ["a bare 503 is a full load", answer(503), 70],
    ["a bare 500 tells of none", answer(500), 100],
    [
      "a 503 of the door tells of none by itself",
      answer(503, { "content-type": "application/problem+json" }, problem("unavailable", 503, 0)),
      100,
    ],
    ["a 503 with the header tells it", answer(503, { backpressure: "2.00" }), 50],
    ["a header that is no number tells of none", accept({ backpressure: "much" }), 100],
  ])("%s", async (_, first, second) => {
    const sending = new Sending([first], { maxBatchEvents: 100 });
    sendMany(sending, 200);
    await sending.clock.until(sending.sender.close(60_000));
    expect(sending.batches.slice(0, 2)).toEqual([100, second]);
  });
});

describe("trying again", () => {
  /** When each request began. */
  const times = (sending: Sending): readonly number[] => sending.door.requests.map(({ atMs }) => atMs);

  it("waits twice as long each time at most, by full jitter", async () => {
    const sending = new Sending(
      [answer(503), reset(false), answer(500), answer(502)],
      { lingerMs: 0 },
      () => 0.5,
    );
    await sending.sendAll(1);
    expect(times(sending)).toEqual([0, 100, 300, 700, 1_500]);
    expect(sending.delivered).toEqual(["0"]);
  });

  it.each([
    ["7", 7_000],
    ["Sat, 31 Jan 2026 00:01:00 GMT", 60_000],
    ["Fri, 30 Jan 2026 00:00:00 GMT", 0],
    ["soon", 0],
  ])("comes not before Retry-After: %s, and then spread as well", async (text, ms) => {
    const sending = new Sending([answer(503, { "retry-after": text })], { lingerMs: 0 }, () => 0.25);
    await sending.sendAll(1);
    expect(times(sending)).toEqual([0, ms + 50]);
  });

  it("keeps the order of the events", async () => {
    const sending = new Sending([answer(503), accept(), reset(true)], { maxBatchEvents: 5 });
    sendMany(sending, 20);
    await sending.clock.until(sending.sender.close(60_000));
    expect(sending.delivered).toEqual(ids(0, 19));
  });

  it("begins anew after a success", async () => {
    const sending = new Sending(
      [answer(500), answer(500), accept(), answer(500)],
      { lingerMs: 0 },
      () => 0.5,
    );
    await sending.sendAll(1);
    const again = new Sending(
      [answer(500), answer(500), accept(), answer(500)],
      { maxBatchEvents: 1 },
      () => 0.5,
    );
    sendMany(again, 2);
    await again.clock.until(again.sender.close(60_000));
    expect(times(again)).toEqual([0, 100, 300, 300, 400]);
  });

  it("concerns only those events of a batch that were refused for the load", async () => {
    const script = [judge(["accepted", "overloaded", "refused"], { "retry-after": "10" })];
    const sending = new Sending(script, { maxBatchEvents: 6, lingerMs: 0 }, () => 0);
    sendMany(sending, 9);
    await sending.clock.until(sending.sender.close(60_000));
    expect(sending.door.requests.map(({ atMs, ids }) => ({ atMs, ids }))).toEqual([
      { atMs: 0, ids: ids(0, 5) },
      { atMs: 0, ids: ids(6, 8) },
      { atMs: 10_000, ids: ["1", "4"] },
    ]);
    expect(sending.delivered).toEqual(["0", "3", "6", "7", "8", "1", "4"]);
    expect(sending.givenUp.map(({ id, reason }) => ({ id, reason }))).toEqual([
      { id: "2", reason: "refused" },
      { id: "5", reason: "refused" },
    ]);
  });

  it("heeds the time that an event's own problem says", async () => {
    const own: Behaviour = () => ({
      status: 202,
      body: {
        results: [
          {
            index: 0,
            status: "refused",
            problem: { ...problem("overloaded", 429, 0), retryAfterSeconds: 3 },
          },
          { index: 1, status: "accepted" },
        ],
      },
    });
    const sending = new Sending([own], { maxBatchEvents: 2 }, () => 0);
    sendMany(sending, 2);
    await sending.clock.until(sending.sender.close(60_000));
    expect(times(sending)).toEqual([0, 3_000]);
  });

  it("stops everything where all of a batch was too much", async () => {
    const sending = new Sending(
      [judge(["overloaded"], { "retry-after": "10" })],
      { maxBatchEvents: 5 },
      () => 0,
    );
    sendMany(sending, 10);
    await sending.clock.until(sending.sender.close(60_000));
    expect(times(sending)).toEqual([0, 10_000, 10_000]);
    expect(sending.delivered).toEqual(ids(0, 9));
  });

  it("tries again what the answer was lost of, and says that it may be stored where it gives up", async () => {
    const sending = new Sending([hang(false, true), reset(false)], {
      maxAttempts: 2,
      requestTimeoutMs: 30_000,
    });
    await sending.sendAll(1);
    const last = "fetch failed: ECONNRESET";
    expect(sending.givenUp).toEqual([{ id: "0", reason: "attempts-spent", last, mayBeStored: true }]);
    expect(sending.ended[0]!.atMs).toBeGreaterThan(30_000);
  });
});

describe("a request that is too much", () => {
  it("is halved until it passes", async () => {
    const sending = new Sending([answer(413), answer(413)], { maxBatchEvents: 8 });
    sendMany(sending, 8);
    await sending.clock.until(sending.sender.close(60_000));
    expect(sending.batches.slice(0, 3)).toEqual([8, 4, 2]);
    expect(sending.delivered).toEqual(ids(0, 7));
  });

  it("is given up where it is a single event", async () => {
    const sending = new Sending([answer(413)]);
    await sending.sendAll(1);
    expect(sending.givenUp).toMatchObject([
      {
        id: "0",
        reason: "refused",
        problem: { type: "about:blank", status: 413, detail: "No" },
        mayBeStored: false,
      },
    ]);
  });

  it("does not take others with it where one event spoils it", async () => {
    const spoilt: Behaviour = (ids, store, signal) =>
      (ids.includes("5") ? answer(400) : accept())(ids, store, signal);
    const sending = new Sending(times(50, spoilt), { maxBatchEvents: 8 });
    sendMany(sending, 8);
    await sending.clock.until(sending.sender.close(60_000));
    expect(sending.givenUp.map(({ id }) => id)).toEqual(["5"]);
    expect(sending.delivered).toEqual(ids(0, 7).filter((id) => id !== "5"));
  });
});

describe("credentials", () => {
  it("are asked for each request, and once anew where they were refused", async () => {
    const asked: boolean[] = [];
    const authorize = (_: unknown, renew: boolean) => {
      asked.push(renew);
      return { authorization: renew ? "new" : "old" };
    };
    const sending = new Sending([answer(401), accept(), answer(403), answer(403)], {
      authorize,
      maxBatchEvents: 1,
    });
    sendMany(sending, 3);
    await sending.clock.until(sending.sender.close(60_000));
    expect(asked).toEqual([false, true, false, true, false]);
    expect(sending.door.requests.map(({ headers }) => headers.authorization)).toEqual([
      "old",
      "new",
      "old",
      "new",
      "old",
    ]);
    expect(sending.delivered).toEqual(["0", "2"]);
    expect(sending.givenUp).toEqual([{ id: "1", reason: "unauthorized", status: 403, mayBeStored: false }]);
  });

  it("that cannot be had for now count as a failed attempt", async () => {
    let failing = 2;
    const authorize = () => {
      if (failing-- > 0) throw new Error("no credentials");
      return {};
    };
    const sending = new Sending([], { authorize });
    await sending.sendAll(1);
    expect(sending.delivered).toEqual(["0"]);
    expect(sending.batches).toEqual([1]);
  });
});

describe("what is held", () => {
  it("is bounded: send waits, and goes on in order when something has ended", async () => {
    const sending = new Sending([answer(503)], { maxBufferedEvents: 2, lingerMs: 60_000 });
    const taken: string[] = [];
    for (const id of ids(0, 3)) void sending.sender.send(event(id)).then(() => taken.push(id));
    await sending.clock.pass(99);
    expect({ taken, pending: sending.sender.pendingEvents }).toEqual({ taken: ["0", "1"], pending: 2 });
    await sending.clock.pass(2);
    expect({ taken, pending: sending.sender.pendingEvents }).toEqual({ taken: ids(0, 3), pending: 2 });
    expect(sending.delivered).toEqual(["0", "1"]);
  });

  it("is bounded in bytes, too, and what waits for room is not kept waiting for a larger batch", async () => {
    const sending = new Sending([], { maxBufferedBytes: maxEventBytes, lingerMs: 60_000 });
    const note = "x".repeat(maxEventBytes / 2);
    for (const id of ids(0, 2)) void sending.sender.send(event(id, note));
    expect(sending.sender.pendingEvents).toBe(1);
    await sending.clock.pass(1);
    expect(sending.delivered).toEqual(["0", "1"]);
    expect(sending.batches).toEqual([1, 1]);
  });

  it("is given up when it is too old, also while Retry-After has not passed", async () => {
    const sending = new Sending([answer(429, { "retry-after": "86400" })], { maxAgeMs: 5_000 });
    void sending.sender.send(event("0"));
    await sending.clock.pass(6_000);
    expect(sending.ended).toEqual([
      { id: "0", atMs: 5_000, givenUp: { reason: "too-old", mayBeStored: false } },
    ]);
    // No Retry-After holds longer than an event may last: it would outlive everything that comes.
    void sending.sender.send(event("1"));
    await sending.clock.pass(1_000);
    expect(sending.delivered).toEqual(["1"]);
  });

  it.each<[what: string, value: unknown, error: unknown]>([
    ["an event that no door takes", event("0", "x".repeat(maxEventBytes)), EventTooLargeError],
    ["an event that is no JSON", { ...event("0"), data: 1n }, TypeError],
  ])("is not %s", async (_, value, error) => {
    const sending = new Sending([]);
    await expect(sending.sender.send(value as never)).rejects.toThrow(error as never);
    expect(sending.sender.pendingEvents).toBe(0);
  });
});

describe("the end", () => {
  it("gives up at the deadline what has not ended, under way or not", async () => {
    const sending = new Sending([hang(true, false)], { maxBatchEvents: 1 });
    sendMany(sending, 2);
    await sending.clock.pass(100);
    await sending.clock.until(sending.sender.close(1_000));
    expect(sending.ended).toEqual([
      { id: "0", atMs: 1_100, givenUp: { reason: "closed", mayBeStored: true } },
      { id: "1", atMs: 1_100, givenUp: { reason: "closed", mayBeStored: false } },
    ]);
    expect(sending.clock.timers).toBe(0);
  });

  it("refuses events that come afterwards or still wait for room", async () => {
    const sending = new Sending([], { maxBufferedEvents: 1 });
    void sending.sender.send(event("0"));
    const waiting = expect(sending.sender.send(event("1"))).rejects.toThrow(SenderClosedError);
    const closed = sending.sender.close(1_000);
    await expect(sending.sender.send(event("2"))).rejects.toThrow(SenderClosedError);
    await waiting;
    await sending.clock.until(closed);
    expect(sending.delivered).toEqual(["0"]);
  });

  it("is the same for everyone who closes", async () => {
    const { sender } = new Sending([]);
    expect(sender.close(1_000)).toBe(sender.close(2_000));
    await sender.close(0);
  });

  it("is told by flush where the time was not enough, and the events go on", async () => {
    const sending = new Sending([answer(503, { "retry-after": "60" })]);
    sendMany(sending, 1);
    expect(await sending.clock.until(sending.sender.flush(1_000))).toBe(false);
    await sending.clock.pass(61_000);
    expect(sending.delivered).toEqual(["0"]);
    void sending.sender.send(event("1"));
    await sending.clock.pass(49);
    expect(sending.delivered).toEqual(["0"]);
  });
});

it.each([
  [{ maxBatchEvents: 1_001 }, "maxBatchEvents is 1001; it must be a whole number from 1 to 1000"],
  [{ lingerMs: -1 }, "lingerMs is -1"],
  [{ maxBufferedBytes: 1_000 }, "maxBufferedBytes is 1000"],
  [{ maxAttempts: Number.NaN }, "maxAttempts is NaN"],
])("the limits %j are none", (limits, message) => {
  expect(() => new Sending([], limits)).toThrow(message);
});
