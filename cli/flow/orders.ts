/** What a person orders of the flow control; the flow-control function follows it within a minute. */
import { maxPausedAgeMs, type OverrideMode, overrideAt } from "../../contracts/flow-control.ts";
import type { ControlTable, MappingState } from "../../runtime/control-table.ts";

export interface Orders {
  readonly table: Pick<ControlTable, "read" | "putOverride" | "endOverride" | "record">;
  /** Its name. */
  readonly mapping: string;
  /** Who orders. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Order {
  readonly mode: OverrideMode;
  readonly reason: string;
  /** @default until it is ended */
  readonly forMs?: number | undefined;
}

/**
 * Orders to hold or to drain, in place of what was ordered before. Resolves with what to tell the person.
 *
 * To hold is refused from half of the time on after which records are given up, less five minutes for the change itself
 * (maxPausedAgeMs): the other half is left for the drain. That time counts from the arrival of the oldest record that may
 * wait, as the flow control's last run has it: while the mapping is paused, what its function told before the
 * pause, or the pause itself where it had nothing to do; while it runs, what its function tells, or now. The flow
 * control ends a hold at the same moment.
 * @throws Error where it is refused, or where the flow control has not run
 */
export async function give({ mode, reason, forMs }: Order, orders: Orders): Promise<string> {
  const { table, mapping, by } = orders;
  const nowMs = orders.now();
  const { state, override } = await table.read(mapping);
  if (state === undefined) throw neverRan(mapping);
  const endMs = heldUntilMs(state, nowMs);
  if (mode === "hold" && nowMs >= endMs) throw refusal(state, nowMs);
  const from = overrideAt(override, nowMs)?.mode ?? "auto";
  const untilMs = forMs === undefined ? undefined : nowMs + forMs;
  await table.putOverride(mapping, { mode, by, reason, sinceMs: nowMs, ...(untilMs && { untilMs }) });
  await table.record(mapping, { what: "override", from, to: mode, by, reason, atMs: nowMs });
  return `${mapping}: ${describe(mode, untilMs, endMs)}. ${EFFECT}`;
}

/** Ends what was ordered, so that the loads decide again. */
export async function end(reason: string, { table, mapping, by, now }: Orders): Promise<string> {
  const { override } = await table.read(mapping);
  if (override === undefined || !(await table.endOverride(mapping, override))) {
    return `${mapping}: nothing was ordered; the loads decide`;
  }
  await table.record(mapping, { what: "override", from: override.mode, to: "auto", by, reason, atMs: now() });
  return `${mapping}: the loads decide. ${EFFECT}`;
}

const EFFECT = "It takes effect within a minute, and the 90 s that AWS may take.";

/** When the flow control ends a hold, from what its last run knew. */
export const heldUntilMs = ({ mapping, memory }: MappingState, nowMs: number): number =>
  (memory.oldestMs ?? nowMs) + maxPausedAgeMs(mapping);

function describe(mode: OverrideMode, untilMs: number | undefined, endMs: number): string {
  if (mode === "hold") return `held until ${iso(Math.min(untilMs ?? endMs, endMs))} at the latest`;
  return `drained whatever the load${untilMs === undefined ? "" : ` until ${iso(untilMs)}`}`;
}

const neverRan = (mapping: string): Error =>
  new Error(
    `The control table knows no mapping ${mapping}: the flow control has never run on it. Look whether that is its name, and at the flow-control function's log.`,
  );

const refusal = ({ mapping, memory }: MappingState, nowMs: number): Error =>
  new Error(
    `${mapping.name} cannot be held: its oldest record may have waited since ${iso(memory.oldestMs ?? nowMs)}, and from half of the ${mapping.maxAgeHours} h on after which records are given up it must drain. Let it run; raise the retention (lib/config/environments.ts) if you need longer.`,
  );

export const iso = (ms: number): string => new Date(ms).toISOString();
