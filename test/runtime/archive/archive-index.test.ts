import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ArchiveEntry,
  MAX_REDRIVES,
  REDRIVE_STALE_MS,
  type Selection,
} from "../../../contracts/dead-letter-archive.ts";
import { ArchiveIndex } from "../../../runtime/archive/archive-index.ts";
import { ARCHIVED_AT_MS, entryAt, fill } from "../../support/archive-entries.ts";
import { all, startArchive, type TestArchive } from "../../support/archive-storage.ts";

const DAY_MS = 86_400_000;
const NOW_MS = ARCHIVED_AT_MS + DAY_MS;
const REDRIVE = "0b8f7c1e-0000-4000-8000-000000000001";
const OTHER = "0b8f7c1e-0000-4000-8000-000000000002";

let test: TestArchive;
beforeEach(async () => {
  test = await startArchive();
});
afterEach(() => test.close());

const offsets = (entries: readonly ArchiveEntry[]): number[] =>
  entries.map(({ source }) => (source.kind === "kafka" ? Number(source.offset) : -1));

async function select(
  selection: Partial<Selection>,
  order: "oldest first" | "newest first" = "oldest first",
) {
  return offsets(await all(test.index.entries({ state: "archived", ...selection }, order, NOW_MS)));
}

describe("entries", () => {
  it("come in the order of time, over days, either way", async () => {
    const days = [0, 1, 40].map((day) => entryAt(day, { firstAtMs: NOW_MS - day * DAY_MS }));
    await fill(test, days);
    expect(await select({})).toEqual([40, 1, 0]);
    expect(await select({}, "newest first")).toEqual([0, 1, 40]);
  });

  it.each<[string, Partial<Selection>, number[]]>([
    ["reason", { reason: "state-full" }, [1]],
    ["type", { type: "page.viewed" }, [2]],
    ["a pipeline with its stages, and no other of a like name", { pipeline: "sales" }, [3, 4]],
    ["state", { state: "discarded" }, [6]],
    ["since, included", { sinceMs: ARCHIVED_AT_MS + 4 }, [4, 5]],
    ["until, excluded", { untilMs: ARCHIVED_AT_MS + 2 }, [0, 1]],
    ["a time before all time, and one after it", { sinceMs: -8.64e15, untilMs: 8.64e15 }, [0, 1, 2, 3, 4, 5]],
    [
      "nothing, where it ends before it begins",
      { sinceMs: ARCHIVED_AT_MS + 4, untilMs: ARCHIVED_AT_MS + 2 },
      [],
    ],
    ["all of several", { pipeline: "sales", untilMs: ARCHIVED_AT_MS + 4 }, [3]],
    ["id", { id: entryAt(2).id }, [2]],
    ["the id of one in another state", { id: entryAt(6).id }, []],
  ])("are selected by %s", async (_, selection, expected) => {
    await fill(test, [
      entryAt(0),
      entryAt(1, { reason: "state-full" }),
      entryAt(2, { type: "page.viewed" }),
      entryAt(3, { stage: "sales" }),
      entryAt(4, { stage: "sales.by-region" }),
      entryAt(5, { stage: "sales-daily" }),
      entryAt(6, { state: "discarded" }),
    ]);
    expect(await select(selection)).toEqual(expected);
  });

  it("go on after a position, also where it is the last of its day, or was moved meanwhile", async () => {
    const perDay = [0, 1, 2].flatMap((day) =>
      [0, 1, 2].map((n) => entryAt(10 * day + n, { firstAtMs: ARCHIVED_AT_MS - (2 - day) * DAY_MS + n })),
    );
    await fill(test, perDay);
    for (const order of ["oldest first", "newest first"] as const) {
      const whole = await all(test.index.entries({ state: "archived" }, order, NOW_MS));
      for (const [place, after] of whole.entries()) {
        const rest = await all(test.index.entries({ state: "archived" }, order, NOW_MS, after));
        expect(rest).toEqual(whole.slice(place + 1));
      }
    }
    await test.index.discard(perDay[4]!, NOW_MS);
    const rest = await all(test.index.entries({ state: "archived" }, "oldest first", NOW_MS, perDay[4]));
    expect(offsets(rest)).toEqual([12, 20, 21, 22]);
  });

  it("go on within a range that the position is no longer in", async () => {
    await fill(
      test,
      [0, 1, 2].map((n) => entryAt(n)),
    );
    const range = { state: "archived", sinceMs: ARCHIVED_AT_MS + 1, untilMs: ARCHIVED_AT_MS + 2 } as const;
    expect(offsets(await all(test.index.entries(range, "oldest first", NOW_MS, entryAt(0))))).toEqual([1]);
    expect(offsets(await all(test.index.entries(range, "newest first", NOW_MS, entryAt(2))))).toEqual([1]);
  });

  it("of one moment are told apart", async () => {
    const entries = [1, 2, 3].map((n) => entryAt(n, { firstAtMs: ARCHIVED_AT_MS }));
    await fill(test, entries);
    const [first, ...others] = await all(test.index.entries({ state: "archived" }, "oldest first", NOW_MS));
    expect(await all(test.index.entries({ state: "archived" }, "oldest first", NOW_MS, first))).toEqual(
      others,
    );
  });
});

describe("a claim", () => {
  it("is had by one redrive only, and raises the count", async () => {
    const entry = entryAt(1);
    await test.index.file(entry);
    const claims = await Promise.all([REDRIVE, OTHER].map((id) => test.index.claim(entry, id, NOW_MS)));
    expect(claims.toSorted()).toEqual([false, true]);
    expect(await test.index.get(entry.id)).toMatchObject({ state: "redriving", redriveCount: 1 });
    expect(await select({})).toEqual([]);
    expect(await select({ state: "redriving" })).toEqual([1]);
  });

  it("ends as redriven by its own redrive only", async () => {
    const entry = entryAt(1);
    await test.index.file(entry);
    await test.index.claim(entry, REDRIVE, NOW_MS);
    expect(await test.index.finish(entry, OTHER, NOW_MS)).toBe(false);
    expect(await test.index.finish(entry, REDRIVE, NOW_MS)).toBe(true);
    expect(await test.index.get(entry.id)).toMatchObject({ state: "redriven", redriveId: REDRIVE });
  });

  it("is given back to the state and the count that it was taken from", async () => {
    const entry = entryAt(1, { state: "redriven", redriveCount: 1 });
    await test.index.file(entry);
    await test.index.claim(entry, REDRIVE, NOW_MS);
    await test.index.release(entry, REDRIVE, NOW_MS + 1);
    expect(await test.index.get(entry.id)).toMatchObject({ state: "redriven", redriveCount: 1 });
  });

  it("is taken over from a redrive that is long dead, and from no other", async () => {
    const entry = entryAt(1);
    await test.index.file(entry);
    await test.index.claim(entry, REDRIVE, NOW_MS);
    const claimed = (await test.index.get(entry.id))!;
    expect(await test.index.claim(claimed, OTHER, NOW_MS + REDRIVE_STALE_MS)).toBe(false);
    expect(await test.index.claim(claimed, OTHER, NOW_MS + REDRIVE_STALE_MS + 1)).toBe(true);
    expect(await test.index.finish(claimed, REDRIVE, NOW_MS)).toBe(false);
  });

  it("is refused to one that was redriven as often as may be, and to one that is discarded", async () => {
    const [often, discarded] = [entryAt(1, { redriveCount: MAX_REDRIVES }), entryAt(2)];
    await Promise.all([often, discarded].map((entry) => test.index.file(entry)));
    await test.index.discard(discarded, NOW_MS);
    expect(await test.index.claim(often, REDRIVE, NOW_MS)).toBe(false);
    expect(await test.index.claim(discarded, REDRIVE, NOW_MS)).toBe(false);
  });
});

it("a table that is not there is an error that says so, and no refused condition", async () => {
  const index = new ArchiveIndex(test.storage.dynamodb, "no-such-table");
  await expect(index.file(entryAt(1))).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  await expect(index.discard(entryAt(1), NOW_MS)).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  await expect(index.get("x")).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
});
