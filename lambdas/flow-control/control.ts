/**
 * One run of the flow control: looks at a mapping, decides whether it is paused (flow/pausing.ts), and does it. Every
 * doubt ends with a mapping that runs: without signals, or without the control table, it is resumed, and the stream's
 * function paces itself. A pause is begun only once it is known for the next run when it must end.
 */
import {
  type Change,
  type ControlledMapping,
  FLOW_CONTROL,
  flowPausing,
  maxPausedAgeMs,
  type Override,
  oldestWaitingMs,
  overrideAt,
} from "../../contracts/flow-control.ts";
import { type LoadSignal, loadOfTopics } from "../../contracts/signals.ts";
import {
  decidePausing,
  FIRST_MEMORY,
  type PausingDecision,
  type PausingMemory,
  type PausingReason,
} from "../../flow/pausing.ts";
import type { ControlItems, ControlTable } from "../../runtime/control-table.ts";
import type { EventSourceMappings } from "../../runtime/event-source-mappings.ts";

export interface FlowControlPorts {
  readonly table: Pick<ControlTable, "read" | "putState" | "endOverride" | "record">;
  readonly mappings: Pick<EventSourceMappings, "status" | "setEnabled">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called with what went wrong and was lived with. */
  readonly warn: (message: string, error: unknown) => void;
  /** Called with every change, as its record has it. */
  readonly changed: (mapping: string, change: Change) => void;
}

export interface FlowControlOutcome {
  /** After the run; `changing`: it, or somebody else, has just changed the mapping. */
  readonly state: "running" | "paused" | "changing";
  /** The highest load of its topics. */
  readonly load?: number | undefined;
  /** Of the oldest record that may wait behind the pause; 0 without one. */
  readonly pausedAgeMs: number;
}

/**
 * @param signals undefined where they were not read
 * @throws what Lambda's API throws, and what the control table throws where a pause could not be remembered: the
 *   mapping is then as it was, and the next run tries again
 */
export async function controlMapping(
  mapping: ControlledMapping,
  signals: readonly LoadSignal[] | undefined,
  ports: FlowControlPorts,
): Promise<FlowControlOutcome> {
  const { state, modifiedMs } = await ports.mappings.status(mapping.uuid);
  // A change of anybody's that is under way is not fought: the next run looks again.
  if (state !== "Enabled" && state !== "Disabled") return { state: "changing", pausedAgeMs: 0 };
  const run: Run = { mapping, signals: signals ?? [], nowMs: ports.now(), ports };
  const source = state === "Enabled" ? "running" : "paused";
  const items = await ports.table.read(mapping.name).catch((error) => {
    ports.warn(`The control table was not read; the mapping ${mapping.name} is to run.`, error);
    return undefined;
  });
  if (items === undefined) {
    if (source === "running") return { state: source, pausedAgeMs: 0 };
    return { state: await resume(run, "the control table was not read"), pausedAgeMs: 0 };
  }
  return decide(run, source, modifiedMs, items);
}

interface Run {
  readonly mapping: ControlledMapping;
  readonly signals: readonly LoadSignal[];
  readonly nowMs: number;
  readonly ports: FlowControlPorts;
}

async function decide(
  run: Run,
  source: "running" | "paused",
  modifiedMs: number,
  items: ControlItems,
): Promise<FlowControlOutcome> {
  const { mapping, signals, nowMs } = run;
  const memory = items.state?.memory ?? FIRST_MEMORY;
  if (source === "paused" && memory.pausedMs === undefined) await recordForeignPause(run, modifiedMs);
  const override = await currentOverride(run, items.override);
  const load = highestLoad(run);
  const decision = decidePausing(
    {
      nowMs,
      source,
      load,
      waitingSinceMs: oldestWaitingMs(signals, mapping.name, nowMs),
      modifiedMs,
      maxPausedAgeMs: maxPausedAgeMs(mapping),
      override: override?.mode,
    },
    memory,
    flowPausing,
  );
  if (decision.endsHold && override) await endOverride(run, override, reasonOf("waited-too-long", run));
  const state = await apply(run, source, decision, override);
  return { state, load, pausedAgeMs: source === "paused" ? nowMs - (decision.memory.oldestMs ?? nowMs) : 0 };
}

async function apply(
  run: Run,
  source: "running" | "paused",
  { memory, change }: PausingDecision,
  override: Override | undefined,
): Promise<FlowControlOutcome["state"]> {
  const { mapping, ports } = run;
  if (change === undefined) {
    await ports.table.putState({ mapping, memory });
    return source;
  }
  const reason = reasonOf(change.reason, run, override);
  if (change.to === "running") return resume(run, reason, change.memory);
  // What is not remembered could not be ended in time: first the memory, then the pause.
  await ports.table.putState({ mapping, memory: change.memory });
  if (!(await ports.mappings.setEnabled(mapping.uuid, false))) {
    await ports.table.putState({ mapping, memory });
    return source;
  }
  await record(run, { what: "mapping", from: "running", to: "paused", by: FLOW_CONTROL, reason });
  return "changing";
}

/** First the mapping, whatever then becomes of memory and record. */
async function resume(
  run: Run,
  reason: string,
  memory?: PausingMemory,
): Promise<FlowControlOutcome["state"]> {
  const { mapping, ports } = run;
  if (!(await ports.mappings.setEnabled(mapping.uuid, true))) return "paused";
  await record(run, { what: "mapping", from: "paused", to: "running", by: FLOW_CONTROL, reason });
  if (memory !== undefined) {
    await ports.table
      .putState({ mapping, memory })
      .catch((error) => ports.warn(`That ${mapping.name} was resumed is not remembered.`, error));
  }
  return "changing";
}

/** The log has every change, so that one whose record cannot be written is known all the same. */
async function record({ mapping, nowMs, ports }: Run, change: Omit<Change, "atMs">): Promise<void> {
  const dated = { ...change, atMs: nowMs };
  ports.changed(mapping.name, dated);
  await ports.table
    .record(mapping.name, dated)
    .catch((error) => ports.warn(`A change of ${mapping.name} has no record in the control table.`, error));
}

const recordForeignPause = (run: Run, modifiedMs: number): Promise<void> =>
  record(run, {
    what: "mapping",
    from: "running",
    to: "paused",
    by: "unknown",
    reason: `found paused, though not by the flow control; changed last at ${new Date(modifiedMs).toISOString()}`,
  });

/** What a person ordered, unless its time is over. */
async function currentOverride(run: Run, override: Override | undefined): Promise<Override | undefined> {
  const current = overrideAt(override, run.nowMs);
  if (override !== undefined && current === undefined) await endOverride(run, override, "its time is over");
  return current;
}

async function endOverride(run: Run, override: Override, reason: string): Promise<void> {
  const { mapping, ports } = run;
  const ended = await ports.table.endOverride(mapping.name, override).catch((error) => {
    ports.warn(`The override of ${mapping.name} was not ended; the next run tries again.`, error);
    return false;
  });
  if (ended)
    await record(run, { what: "override", from: override.mode, to: "auto", by: FLOW_CONTROL, reason });
}

/** Of the topics that the mapping's function writes to; undefined where nobody says anything of any. */
function highestLoad({ mapping, signals, nowMs }: Run): number | undefined {
  const byTopic = loadOfTopics(signals, nowMs);
  const loads = mapping.topics.flatMap((topic) => byTopic.get(topic) ?? []);
  return loads.length === 0 ? undefined : Math.max(...loads);
}

function reasonOf(reason: PausingReason, run: Run, override?: Override): string {
  const load = highestLoad(run)?.toFixed(2);
  const { pauseAboveLoad, resumeBelowLoad, runsInARow } = flowPausing;
  switch (reason) {
    case "load-high":
      return `the highest load was above ${pauseAboveLoad} in ${runsInARow} runs in a row; it is ${load}`;
    case "load-low":
      return `the highest load was below ${resumeBelowLoad} in ${runsInARow} runs in a row; it is ${load}`;
    case "no-signals":
      return "no stage says how loaded a topic of it is";
    case "held":
    case "ordered-to-run":
      return `${override?.mode} ordered by ${override?.by}: ${override?.reason}`;
    case "waited-too-long":
      return `the oldest record may be older than half of the ${run.mapping.maxAgeHours} h after which it is given up`;
  }
}
