/**
 * Very many dead letters: filed by the archiver, listed, counted and redriven page by page. By default as many as a test
 * may take time for; `SPILLWAY_TEST_DEAD_LETTERS=100000 npx vitest run test/lambdas/redrive/many.test.ts` has as many as
 * the name says (docs/dead-letters.md).
 */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { countEntries } from "../../../cli/dead-letters/stats.ts";
import type { RedriveAnswer, RedriveRequest } from "../../../contracts/dead-letter-archive.ts";
import { archiveRecords } from "../../../lambdas/archive/archive.ts";
import { redrive } from "../../../lambdas/redrive/redrive.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { startArchive, type TestArchive } from "../../support/archive-storage.ts";
import { delivery, letter, letterHeaders } from "../support/dead-letters.ts";
import { partitionCounts } from "../support/door.ts";
import { flight, NOW_MS } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const COUNT = Number(process.env.SPILLWAY_TEST_DEAD_LETTERS ?? 600);
/** As the mapping of the topic is configured. */
const BATCH = 100;
/** Dead letters came over days, as they do: pages end within them, and at their ends. */
const SPREAD_MS = 3 * 86_400_000;

vi.setConfig({ testTimeout: 3_600_000 });

let test: TestArchive;
beforeAll(async () => {
  test = await startArchive();
});
afterAll(() => test.close());

const letterAt = (index: number) =>
  letter(
    { ...flight, id: `f-${index}` },
    { ...letterHeaders, "spillway-offset": String(index) },
    { timestamp: NOW_MS - SPREAD_MS + Math.floor((SPREAD_MS * index) / COUNT) },
  );

const idsInOrder = () => Array.from({ length: COUNT }, (_, index) => `f-${index}`);

it(`${COUNT} are filed once each, also when they come twice`, async () => {
  let archived = 0;
  for (let start = 0; start < COUNT; start += BATCH) {
    const records = Array.from({ length: Math.min(BATCH, COUNT - start) }, (_, index) =>
      letterAt(start + index),
    );
    const ports = { objects: test.objects, index: test.index, now: () => NOW_MS };
    archived += (await archiveRecords(delivery(...records), ports)).archived;
    if (start === 0) expect(await archiveRecords(delivery(...records), ports)).toMatchObject({ archived: 0 });
  }
  expect(archived).toBe(COUNT);
});

it("are listed in the order of time, each once, from either end", async () => {
  const offsets: number[] = [];
  for await (const { source } of test.index.entries({ state: "archived" }, "newest first", NOW_MS)) {
    offsets.push(source.kind === "kafka" ? Number(source.offset) : Number.NaN);
  }
  expect(offsets).toEqual(Array.from({ length: COUNT }, (_, index) => COUNT - 1 - index));
});

it("are counted", async () => {
  expect(await countEntries(test.index, {}, NOW_MS)).toMatchObject([
    { state: "archived", reason: "user-code-failed", type: "flight.departed", count: COUNT },
  ]);
});

it("are redriven, each once and in order, by as many calls of the function as it takes", async () => {
  const kafka = new FakeKafka();
  const request: RedriveRequest = {
    redriveId: "0b8f7c1e-0000-4000-8000-000000000001",
    execute: true,
    selection: { state: "archived" },
    ratePerSecond: 10_000,
    maxFailureShare: 0.2,
  };
  let answer: RedriveAnswer | undefined;
  let calls = 0;
  do {
    // A call's time is over after as many chunks as it may have asked for it.
    let asked = 0;
    answer = await redrive(
      { ...request, ...(answer && { progress: answer.progress }) },
      () => (++asked < 10 ? 60_000 : 0),
      {
        index: test.index,
        objects: test.objects,
        doors: {},
        publisher: new RecordPublisher(kafka, partitionCounts),
        now: () => NOW_MS,
        sleep: async () => {},
      },
    );
    calls += 1;
  } while (answer.end === "more");
  expect(answer).toMatchObject({ end: "done", progress: { counts: { redriven: COUNT, contended: 0 } } });
  expect(calls).toBeGreaterThan(1);
  expect(kafka.events.map(({ id }) => id)).toEqual(idsInOrder());
  expect((await countEntries(test.index, {}, NOW_MS)).map(({ state, count }) => [state, count])).toEqual([
    ["redriven", COUNT],
  ]);
});
