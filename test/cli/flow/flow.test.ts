/** What a person orders of the flow control, and what they are told. */
import { beforeEach, describe, expect, it } from "vitest";
import { end, give, type Orders } from "../../../cli/flow/orders.ts";
import { type StatusSources, statusLines } from "../../../cli/flow/status.ts";
import { type Change, maxPausedAgeMs, type Override } from "../../../contracts/flow-control.ts";
import type { LoadSignal } from "../../../contracts/signals.ts";
import type { PausingMemory } from "../../../flow/pausing.ts";
import type { MappingState } from "../../../runtime/control-table.ts";

const NOW_MS = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;
const mapping = { name: "forward", uuid: "u-1", maxAgeHours: 144, topics: ["flights"] };

let state: MappingState | undefined;
let override: Override | undefined;
let records: Change[];

const remember = (memory: Partial<PausingMemory>): void => {
  state = { mapping, memory: { highRuns: 0, lowRuns: 0, observedMs: NOW_MS - 1, ...memory } };
};

beforeEach(() => {
  remember({});
  override = undefined;
  records = [];
});

const orders: Orders = {
  table: {
    read: async () => ({ state, override }),
    putOverride: async (_, given) => {
      override = given;
    },
    endOverride: async () => {
      override = undefined;
      return true;
    },
    record: async (_, change) => void records.push(change),
  },
  mapping: "forward",
  by: "ann@desk",
  now: () => NOW_MS,
};

describe("an order", () => {
  it("is kept with who gave it, why and for how long, and is recorded", async () => {
    const said = await give({ mode: "hold", reason: "a repair", forMs: HOUR_MS }, orders);
    expect(override).toEqual({
      mode: "hold",
      by: "ann@desk",
      reason: "a repair",
      sinceMs: NOW_MS,
      untilMs: NOW_MS + HOUR_MS,
    });
    expect(records).toEqual([
      { what: "override", from: "auto", to: "hold", by: "ann@desk", reason: "a repair", atMs: NOW_MS },
    ]);
    expect(said).toContain("forward: held until 2026-06-01T01:00:00.000Z at the latest");
  });

  it("to hold is told when it ends at the latest: half way to the age at which records are given up", async () => {
    remember({ oldestMs: NOW_MS - 70 * HOUR_MS });
    expect(await give({ mode: "hold", reason: "r" }, orders)).toContain("2026-06-01T01:55:00.000Z");
    expect(override).not.toHaveProperty("untilMs");
  });

  it("takes the place of another", async () => {
    await give({ mode: "hold", reason: "r" }, orders);
    await give({ mode: "drain", reason: "r" }, orders);
    expect(override?.mode).toBe("drain");
    expect(records.at(-1)).toMatchObject({ from: "hold", to: "drain" });
  });

  it("to hold is refused where the oldest record has waited for too long; to drain is not", async () => {
    remember({ oldestMs: NOW_MS - maxPausedAgeMs(mapping), pausedMs: NOW_MS - HOUR_MS });
    await expect(give({ mode: "hold", reason: "r" }, orders)).rejects.toThrow(
      /cannot be held: its oldest record may have waited since 2026-05-29T00:05:00.000Z.*half of the 144 h/,
    );
    expect([override, records]).toEqual([undefined, []]);
    await give({ mode: "drain", reason: "r" }, orders);
    expect(override).toMatchObject({ mode: "drain" });
  });

  it("is refused where the flow control never ran on the mapping", async () => {
    state = undefined;
    await expect(give({ mode: "hold", reason: "r" }, orders)).rejects.toThrow("knows no mapping forward");
  });

  it("ends, with a record; where there is none nothing is recorded", async () => {
    await give({ mode: "hold", reason: "r" }, orders);
    await end("it is repaired", orders);
    expect(override).toBeUndefined();
    expect(records.at(-1)).toMatchObject({
      from: "hold",
      to: "auto",
      by: "ann@desk",
      reason: "it is repaired",
    });
    expect(await end("again", orders)).toContain("nothing was ordered");
    expect(records).toHaveLength(2);
  });
});

describe("the status", () => {
  const said: LoadSignal[] = [
    { stage: "p", source: "0", topics: ["flights", "clickstream"], load: 0.2, atMs: NOW_MS },
    { stage: "q", source: "0", topics: ["clickstream"], load: 1.7, atMs: NOW_MS },
  ];
  const sources = (signals: LoadSignal[]): StatusSources => ({
    table: {
      read: async () => ({ state, override }),
      changes: async () => records,
    },
    mappings: { status: async (uuid) => ({ state: `Disabled ${uuid}`, modifiedMs: 0 }) },
    signals: { read: async () => signals },
    signal: new AbortController().signal,
  });

  it("tells mapping, order, loads, what waits and the last changes", async () => {
    remember({ pausedMs: NOW_MS - HOUR_MS, oldestMs: NOW_MS - 2 * HOUR_MS });
    override = { mode: "hold", by: "ann@desk", reason: "a repair", sinceMs: 0, untilMs: NOW_MS + HOUR_MS };
    records = [
      { what: "mapping", from: "running", to: "paused", by: "flow-control", reason: "why", atMs: NOW_MS },
    ];
    expect(await statusLines("forward", sources(said), NOW_MS)).toEqual([
      "mapping   Disabled u-1",
      "ordered   hold by ann@desk until 2026-06-01T01:00:00.000Z: a repair",
      "loads     clickstream 1.70, flights 0.20",
      "waiting   since 2026-05-31T22:00:00.000Z, at the earliest",
      "paused    since 2026-05-31T23:00:00.000Z, until 2026-06-03T21:55:00.000Z at the latest",
      "last run  2026-05-31T23:59:59.999Z",
      "changes",
      "  2026-06-01T00:00:00.000Z  mapping running → paused  flow-control: why",
    ]);
  });

  it("tells what is not there", async () => {
    state = undefined;
    override = { mode: "drain", by: "ann", reason: "over", sinceMs: 0, untilMs: NOW_MS };
    expect(await statusLines("forward", sources([]), NOW_MS)).toEqual([
      "mapping   the flow control has not run",
      "ordered   nothing",
      "loads     no stage speaks",
      "changes   none",
    ]);
  });
});
