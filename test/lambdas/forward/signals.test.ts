/** What the forward function hears of others, and what it says. */
import type { KinesisStreamEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import type { Override } from "../../../contracts/flow-control.ts";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { HeededSignals } from "../../../lambdas/forward/heeded-signals.ts";
import { WaitingSignal } from "../../../lambdas/forward/waiting-signal.ts";

const load: LoadSignal = { stage: "p", source: "0", topics: ["flights"], load: 2, atMs: 0 };
const drain: Override = { mode: "drain", by: "ann", reason: "r", sinceMs: 0, untilMs: 60_000 };

describe("the loads that it heeds", () => {
  const heeding = (readOverride: () => Promise<Override | undefined>) => {
    const failures: Error[] = [];
    const recent = { read: async () => [load] };
    return {
      failures,
      signals: new HeededSignals("forward", recent, { readOverride }, (error) => failures.push(error)),
    };
  };

  it.each<[string, Override | undefined, readonly LoadSignal[]]>([
    ["all, without an order", undefined, [load]],
    ["all, with an order to hold", { ...drain, mode: "hold" }, [load]],
    ["none, with an order to drain", drain, []],
  ])("are %s", async (_, override, expected) => {
    expect(await heeding(async () => override).signals.read(1)).toEqual(expected);
  });

  it("are all again once the time of an order is over", async () => {
    const { signals } = heeding(async () => drain);
    expect(await signals.read(59_999)).toEqual([]);
    expect(await signals.read(60_000)).toEqual([load]);
  });

  it("follow an order after ten seconds at most, and ask no oftener", async () => {
    let asked = 0;
    const { signals } = heeding(async () => (asked++ === 0 ? undefined : drain));
    expect(await signals.read(0)).toEqual([load]);
    expect(await signals.read(9_999)).toEqual([load]);
    expect(await signals.read(10_000)).toEqual([]);
    expect(asked).toBe(2);
  });

  it("follow the order of before where the table is not read", async () => {
    let asked = 0;
    const { signals, failures } = heeding(async () => {
      if (asked++ > 0) throw new Error("away");
      return drain;
    });
    await signals.read(0);
    expect(await signals.read(20_000)).toEqual([]);
    expect(failures).toHaveLength(1);
  });
});

describe("since when records wait", () => {
  const batch = (shard: string) => ({ Records: [{ eventID: `${shard}:1` }] }) as KinesisStreamEvent;
  const telling = () => {
    const told: LoadSignal[] = [];
    return {
      told,
      signal: new WaitingSignal("forward", { write: async (one) => void told.push(one) }, () => {}),
    };
  };

  it("is told of each shard every five seconds, and of no topic", async () => {
    const { told, signal } = telling();
    await signal.tell(batch("shard-0"), 1_000, 21_000);
    await signal.tell(batch("shard-1"), 1_500, 21_000);
    await signal.tell(batch("shard-0"), 2_000, 25_999);
    await signal.tell(batch("shard-0"), 3_000, 26_000);
    expect(told.map(({ source, waitingSinceMs }) => [source, waitingSinceMs])).toEqual([
      ["shard-0", 1_000],
      ["shard-1", 1_500],
      ["shard-0", 3_000],
    ]);
    expect(told[0]).toEqual({
      stage: "forward",
      source: "shard-0",
      topics: [],
      load: 2,
      atMs: 21_000,
      waitingSinceMs: 1_000,
    });
  });

  it("is not told of an empty batch", async () => {
    const { told, signal } = telling();
    await signal.tell({ Records: [] }, undefined, 1);
    expect(told).toEqual([]);
  });

  it("does not hold up a batch where it cannot be told", async () => {
    const failures: Error[] = [];
    const signal = new WaitingSignal(
      "forward",
      { write: () => Promise.reject(new Error("away")) },
      (error) => void failures.push(error),
    );
    await signal.tell(batch("shard-0"), 1, 2);
    expect(failures).toHaveLength(1);
  });
});
