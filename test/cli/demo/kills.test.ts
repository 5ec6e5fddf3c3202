/** The schedule of kills: what is random, what is repeatable, and when the replay waits. */
import { expect, test } from "vitest";
import { KillSchedule, randomKills } from "../../../cli/demo/kills.ts";
import type { Recovery } from "../../../cli/demo/recovery.ts";
import type { EventBatch } from "../../../cli/flights/flights.ts";

test("random kills are the seed's, come in order and within the replay, every second one during a recovery", () => {
  const kills = randomKills(6, 7);

  expect(kills).toEqual(randomKills(6, 7));
  expect(kills).not.toEqual(randomKills(6, 8));
  const shares = kills.map(({ share }) => share);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares[0]).toBeGreaterThanOrEqual(0.1);
  expect(shares.at(-1)).toBeLessThan(0.9);
  expect(kills.every(({ victim }) => victim >= 0 && victim < 1)).toBe(true);
  expect(kills.map(({ duringRecovery }) => duringRecovery)).toEqual([false, true, false, true, false, true]);
});

async function* tenBatches(): AsyncGenerator<EventBatch> {
  for (let index = 0; index < 10; index++) yield { partition: 0, count: 10, body: String(index) };
}

test("the replay waits half-way to a kill for the recoveries before it, unless the kill is to hit one", async () => {
  const kill = (share: number, duringRecovery: boolean) => ({ share, victim: 0, duringRecovery });
  const struck: number[] = [];
  const recovered: ((recovery: Recovery) => void)[] = [];
  const kills = [kill(0.2, false), kill(0.5, true), kill(0.75, false)];
  const schedule = new KillSchedule(kills, 100, ({ share }) => {
    struck.push(share);
    return new Promise((resolve) => recovered.push(resolve));
  });
  const recovery: Recovery = { killedPid: 1, afterEvents: 1, recoveryMs: 1 };
  const batches = schedule.paced(tenBatches());
  let accepted = 0;
  const next = async () => {
    if ((await batches.next()).done) return;
    accepted += 10;
    schedule.accepted(accepted);
  };

  for (let index = 0; index < 7; index++) await next();
  expect(struck).toEqual([0.2, 0.5]);
  const eighth = next();
  recovered[0]!(recovery);
  await new Promise(setImmediate);
  expect(accepted).toBe(70);
  recovered[1]!(recovery);
  await eighth;
  for (let index = 0; index < 3; index++) await next();
  expect(struck).toEqual([0.2, 0.5, 0.75]);
  recovered[2]!(recovery);
  expect(await schedule.recoveries).toHaveLength(3);
});

test("a recovery that fails ends the wait for it", async () => {
  const schedule = new KillSchedule(randomKills(3, 1), 100, () => Promise.reject(new Error("not recovered")));
  const send = async () => {
    let accepted = 0;
    for await (const { count } of schedule.paced(tenBatches())) {
      accepted += count;
      schedule.accepted(accepted);
    }
  };

  await expect(send()).rejects.toThrow("not recovered");
  await expect(schedule.recoveries).rejects.toThrow("not recovered");
});
