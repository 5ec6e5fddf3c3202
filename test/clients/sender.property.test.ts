/** Whatever the door does, every event that was taken ends exactly once, and what is said of it is true. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SenderClosedError } from "../../clients/sender.ts";
import { accept, answer, type Behaviour, type Fate, hang, judge, reset } from "./fake-door.ts";
import { event, Sending } from "./sending.ts";

const load = fc
  .option(fc.double({ min: 0, max: 2, noNaN: true }))
  .map((value): Record<string, string> => (value === null ? {} : { backpressure: value.toFixed(2) }));
const retryAfter = fc.constantFrom<Record<string, string>>(
  {},
  { "retry-after": "1" },
  { "retry-after": "7" },
  { "retry-after": "Sat, 31 Jan 2026 00:10:00 GMT" },
  { "retry-after": "99999999" },
  { "retry-after": "soon" },
);
const fates = fc.array(fc.constantFrom<Fate>("accepted", "refused", "forbidden", "overloaded", "missing"), {
  minLength: 1,
  maxLength: 5,
});

/** Stores the events and says so in a way that cannot be read. */
const unreadable =
  (body: string): Behaviour =>
  (ids, store) => {
    store(ids);
    return { status: 202, body };
  };

const behaviour = fc.oneof(
  { weight: 3, arbitrary: load.map(accept) },
  { weight: 4, arbitrary: fc.tuple(fates, load, retryAfter).map(([of, a, b]) => judge(of, { ...a, ...b })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(200, 302, 400, 404, 408, 413, 415, 422, 429, 500, 502, 503, 504),
        retryAfter,
        load,
      )
      .map(([status, a, b]) => answer(status, { ...a, ...b })),
  },
  { weight: 1, arbitrary: fc.constantFrom(401, 403).map((status) => answer(status)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.boolean(), fc.boolean()).map(([heeds, stores]) => hang(heeds, stores)),
  },
  { weight: 2, arbitrary: fc.boolean().map(reset) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "{", "[]", '{"accepted":1}', '{"results":[7]}').map(unreadable),
  },
);

const scenario = fc.record({
  script: fc.array(behaviour, { maxLength: 25 }),
  /** Before each event, so long nothing is sent. */
  gapsMs: fc.array(fc.constantFrom(0, 0, 0, 0, 1, 60, 5_000), { minLength: 1, maxLength: 60 }),
  limits: fc.record({
    maxBatchEvents: fc.integer({ min: 1, max: 20 }),
    lingerMs: fc.integer({ min: 0, max: 100 }),
    maxBufferedEvents: fc.integer({ min: 1, max: 30 }),
    maxAttempts: fc.integer({ min: 1, max: 6 }),
    maxAgeMs: fc.constantFrom(100, 60_000, 600_000),
    requestTimeoutMs: fc.constantFrom(10, 35_000),
  }),
  closeMs: fc.constantFrom(0, 1, 3_000, 3_600_000),
  randoms: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  authorizeFails: fc.boolean(),
});

const reasons = new Set<string>();

test("each ends exactly once: delivered, or given up with a reason", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ script, gapsMs, limits, closeMs, randoms, authorizeFails }) => {
      let asked = 0;
      const authorize = (): Record<string, string> => {
        asked += 1;
        if (authorizeFails && asked % 3 === 0) throw new Error("no credentials");
        return { authorization: String(asked) };
      };
      const sending = new Sending(script, { ...limits, authorize }, () => randoms.next().value as number);
      const { clock, sender, door } = sending;

      const sends: Promise<string>[] = [];
      let mostPending = 0;
      for (const [index, gapMs] of gapsMs.entries()) {
        if (gapMs > 0) await clock.pass(gapMs);
        sends.push(
          sender.send(event(String(index))).then(
            () => "taken",
            (error: unknown) => {
              expect(error).toBeInstanceOf(SenderClosedError);
              return "refused";
            },
          ),
        );
        mostPending = Math.max(mostPending, sender.pendingEvents);
      }
      const closedMs = clock.nowMs();
      await clock.until(sender.close(closeMs));
      expect(clock.nowMs() - closedMs).toBeLessThanOrEqual(closeMs);
      const outcomes = await clock.until(Promise.all(sends));

      const taken = outcomes.flatMap((outcome, index) => (outcome === "taken" ? String(index) : []));
      expect(sending.ended.map(({ id }) => id).toSorted()).toEqual(taken.toSorted());
      expect(sending.delivered.filter((id) => !door.stored.has(id))).toEqual([]);
      const certain = sending.givenUp.filter(({ mayBeStored }) => !mayBeStored);
      expect(certain.filter(({ id }) => door.stored.has(id))).toEqual([]);

      expect({ pending: sender.pendingEvents, timers: clock.timers }).toEqual({ pending: 0, timers: 0 });
      expect(mostPending).toBeLessThanOrEqual(limits.maxBufferedEvents);
      expect(Math.max(0, ...sending.batches)).toBeLessThanOrEqual(limits.maxBatchEvents);
      for (const { reason } of sending.givenUp) reasons.add(reason);
    }),
    { numRuns: 600 },
  );
  expect([...reasons].toSorted()).toEqual(["attempts-spent", "closed", "refused", "too-old", "unauthorized"]);
}, 120_000);
