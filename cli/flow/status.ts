/** How a controlled mapping stands, and how it came to that, as text. */
import { overrideAt } from "../../contracts/flow-control.ts";
import { loadOfTopics } from "../../contracts/signals.ts";
import type { ControlTable, MappingState } from "../../runtime/control-table.ts";
import type { EventSourceMappings } from "../../runtime/event-source-mappings.ts";
import type { SignalsTable } from "../../runtime/signals.ts";
import { heldUntilMs, iso } from "./orders.ts";

export interface StatusSources {
  readonly table: Pick<ControlTable, "read" | "changes">;
  readonly mappings: Pick<EventSourceMappings, "status">;
  readonly signals: Pick<SignalsTable, "read">;
  readonly signal: AbortSignal;
}

const MAX_CHANGES = 10;

export async function statusLines(
  mapping: string,
  { table, mappings, signals, signal }: StatusSources,
  nowMs: number,
): Promise<readonly string[]> {
  const [{ state, override }, changes, said] = await Promise.all([
    table.read(mapping),
    table.changes(mapping, MAX_CHANGES),
    signals.read(signal),
  ]);
  const current = overrideAt(override, nowMs);
  const until = current?.untilMs === undefined ? "" : ` until ${iso(current.untilMs)}`;
  const loads = [...loadOfTopics(said, nowMs)].toSorted(([, one], [, other]) => other - one);
  return [
    line(
      "mapping",
      state ? (await mappings.status(state.mapping.uuid)).state : "the flow control has not run",
    ),
    line("ordered", current ? `${current.mode} by ${current.by}${until}: ${current.reason}` : "nothing"),
    line(
      "loads",
      loads.map(([topic, load]) => `${topic} ${load.toFixed(2)}`).join(", ") || "no stage speaks",
    ),
    ...(state ? rememberedLines(state, nowMs) : []),
    line("changes", changes.length === 0 ? "none" : ""),
    ...changes.map(
      ({ atMs, what, from, to, by, reason }) => `  ${iso(atMs)}  ${what} ${from} → ${to}  ${by}: ${reason}`,
    ),
  ];
}

function rememberedLines(state: MappingState, nowMs: number): readonly string[] {
  const { observedMs, pausedMs, oldestMs } = state.memory;
  return [
    line("waiting", oldestMs === undefined ? "nothing" : `since ${iso(oldestMs)}, at the earliest`),
    ...(pausedMs === undefined
      ? []
      : [line("paused", `since ${iso(pausedMs)}, until ${iso(heldUntilMs(state, nowMs))} at the latest`)]),
    line("last run", observedMs === undefined ? "none" : iso(observedMs)),
  ];
}

const line = (name: string, value: string): string => `${name.padEnd(9)} ${value}`.trimEnd();
