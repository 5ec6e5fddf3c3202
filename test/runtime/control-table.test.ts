/** The control table and the signals table in a real emulator of DynamoDB. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Change, controlTable, type Override } from "../../contracts/flow-control.ts";
import { signalsTable } from "../../contracts/signals.ts";
import { ControlTable, type MappingState } from "../../runtime/control-table.ts";
import { SignalsTable } from "../../runtime/signals.ts";
import { createTable, startResultsTable, type TestTable } from "../lambdas/support/results-table.ts";

let emulator: TestTable;
let table: ControlTable;
beforeAll(async () => {
  emulator = await startResultsTable();
  await createTable(emulator.client, "control", controlTable.partitionKey, controlTable.sortKey);
  await createTable(emulator.client, "signals", signalsTable.partitionKey, signalsTable.sortKey);
  table = new ControlTable(emulator.client, "control");
});
afterAll(() => emulator.close());

const hold: Override = { mode: "hold", by: "ann@desk", reason: "a repair — “soon”", sinceMs: 5, untilMs: 9 };

it("keeps state and override of each mapping", async () => {
  const state: MappingState = {
    mapping: { name: "forward", uuid: "u", maxAgeHours: 144, topics: ["flights"] },
    memory: { highRuns: 1, lowRuns: 0, observedMs: 7, oldestMs: 3 },
  };
  expect(await table.read("forward")).toEqual({ state: undefined, override: undefined });
  await table.putState(state);
  await table.putOverride("forward", hold);
  expect(await table.read("forward")).toEqual({ state, override: hold });
  expect(await table.read("other")).toEqual({ state: undefined, override: undefined });
});

it("ends an override only where it is still the one that was meant", async () => {
  await table.putOverride("ending", hold);
  expect(await table.endOverride("ending", { ...hold, by: "bob@desk" })).toBe(false);
  expect(await table.readOverride("ending")).toEqual(hold);
  expect(await table.endOverride("ending", hold)).toBe(true);
  expect(await table.endOverride("ending", hold)).toBe(false);
  expect(await table.readOverride("ending")).toBeUndefined();
});

it("gives the last changes, the newest first, and keeps two of one moment", async () => {
  const change = (atMs: number, to: string): Change => ({
    what: "mapping",
    from: "running",
    to,
    by: "flow-control",
    reason: "r",
    atMs,
  });
  for (const atMs of [1_000, 3_000, 2_000]) await table.record("changing", change(atMs, String(atMs)));
  await Promise.all([
    table.record("changing", change(4_000, "paused")),
    table.record("changing", change(4_000, "paused")),
  ]);
  await table.putState({
    mapping: { name: "changing", uuid: "u", maxAgeHours: 1, topics: [] },
    memory: { highRuns: 0, lowRuns: 0 },
  });
  expect((await table.changes("changing", 4)).map(({ to }) => to)).toEqual([
    "paused",
    "paused",
    "3000",
    "2000",
  ]);
});

it("of a signal, keeps since when records wait", async () => {
  const signals = new SignalsTable(emulator.client, "signals");
  const waiting = { stage: "forward", source: "s", topics: [], load: 3, atMs: 9, waitingSinceMs: 4 };
  const load = { stage: "delays", source: "0", topics: ["flights"], load: 0.5, atMs: 9 };
  const { signal } = new AbortController();
  await signals.write(waiting, signal);
  await signals.write(load, signal);
  expect(await signals.read(signal)).toEqual(expect.arrayContaining([waiting, load]));
});
