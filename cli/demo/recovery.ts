/** Kills a processor and measures how long its partitions stand still. */
import { setTimeout as delay } from "node:timers/promises";
import type { Control } from "../platform/control.ts";
import type { Committed, GroupProgress } from "./group.ts";

const POLL_MS = 100;
const GIVE_UP_AFTER_MS = 120_000;

export interface Recovery {
  readonly killedPid: number;
  /** Events that had been accepted when it was killed. */
  readonly afterEvents: number;
  /**
   * From the kill until every partition of the topic has committed past where it stood at the kill (or has nothing
   * left to commit): so long did the slowest of them stand still.
   */
  readonly recoveryMs: number;
}

export interface KillOptions {
  /** Which of the running processes, as a share of their number from 0 to below 1. */
  readonly victim: number;
  /** Events that have been accepted by now. */
  readonly afterEvents: number;
  readonly onKilled: (pid: number) => void;
  readonly signal: AbortSignal;
}

/** Kills one process of the service with SIGKILL and waits for the recovery. */
export async function killAndRecover(
  control: Control,
  service: string,
  group: GroupProgress,
  { victim, afterEvents, onKilled, signal }: KillOptions,
): Promise<Recovery> {
  const killedPid = await killOne(control, service, victim, signal);
  const killedAt = performance.now();
  onKilled(killedPid);
  const atKill = await group.committed();
  for (;;) {
    await delay(POLL_MS, undefined, { signal });
    const elapsedMs = performance.now() - killedAt;
    // A broker that is away cannot be asked; it counts as not recovered.
    if (await hasRecovered(group, atKill).catch(() => false))
      return { killedPid, afterEvents, recoveryMs: elapsedMs };
    if (elapsedMs > GIVE_UP_AFTER_MS) {
      throw new Error(
        `${service}: after a kill, not every partition committed again within ${GIVE_UP_AFTER_MS / 1000} s`,
      );
    }
  }
}

/** Waits for a process to kill where there is none just now: a broker's restart ends processors too. */
async function killOne(
  control: Control,
  service: string,
  victim: number,
  signal: AbortSignal,
): Promise<number> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const pid = await control.kill(service, victim);
    if (pid !== undefined) return pid;
    if (performance.now() > giveUpAt) {
      throw new Error(
        `${service}: no process was running for ${GIVE_UP_AFTER_MS / 1000} s; there is none to kill`,
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

async function hasRecovered(group: GroupProgress, atKill: Committed): Promise<boolean> {
  const [committed, ends] = [await group.committed(), await group.ends()];
  for (const [partition, end] of ends) {
    const now = committed.get(partition) ?? 0;
    if (now <= (atKill.get(partition) ?? 0) && now < end) return false;
  }
  return true;
}
