/** As many dead letters as a bad deployment makes: no command holds them all, or is confused by how many there are. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { countEntries } from "../../../cli/dead-letters/stats.ts";
import { ARCHIVED_AT_MS, entryAt, fill } from "../../support/archive-entries.ts";
import { all, startArchive, type TestArchive } from "../../support/archive-storage.ts";

vi.setConfig({ testTimeout: 120_000 });

const ENTRIES = 10_000;
const NOW_MS = ARCHIVED_AT_MS + 3_600_000;

let test: TestArchive;
beforeAll(async () => {
  test = await startArchive();
  const entries = Array.from({ length: ENTRIES }, (_, n) =>
    entryAt(n, n % 4 === 0 ? { reason: "state-full", state: "redriven" } : {}),
  );
  await fill(test, entries);
});
afterAll(() => test.close());

it("every one is counted, once", async () => {
  const rows = await countEntries(test.index, {}, NOW_MS);
  expect(rows).toEqual([
    expect.objectContaining({ state: "archived", reason: "user-code-failed", count: (ENTRIES * 3) / 4 }),
    expect.objectContaining({ state: "redriven", reason: "state-full", count: ENTRIES / 4 }),
  ]);
  expect(rows[0]).toMatchObject({ firstAtMs: ARCHIVED_AT_MS + 1, lastAtMs: ARCHIVED_AT_MS + ENTRIES - 1 });
});

it("the newest few are read without the others", async () => {
  const newest = test.index.entries({ state: "redriven" }, "newest first", NOW_MS);
  const { value } = await newest.next();
  expect(value).toMatchObject({ firstAtMs: ARCHIVED_AT_MS + ENTRIES - 4 });
});

it("a redrive in many calls meets each of them once", async () => {
  const seen = new Set<string>();
  let after: { readonly id: string; readonly firstAtMs: number } | undefined;
  for (;;) {
    const call: string[] = [];
    for await (const entry of test.index.entries({ state: "archived" }, "oldest first", NOW_MS, after)) {
      call.push(entry.id);
      after = entry;
      if (call.length === 2_999) break;
    }
    for (const id of call) seen.add(id);
    if (call.length < 2_999) break;
  }
  expect(seen.size).toBe((ENTRIES * 3) / 4);
  expect(await all(test.index.entries({ state: "archived" }, "oldest first", NOW_MS, after))).toEqual([]);
});
