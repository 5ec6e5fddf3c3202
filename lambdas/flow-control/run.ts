/** A run over every controlled mapping. One that fails does not keep the others. */
import type { ControlledMapping } from "../../contracts/flow-control.ts";
import { metrics as metricNames } from "../../contracts/metrics.ts";
import type { LoadSignal } from "../../contracts/signals.ts";
import { controlMapping, type FlowControlPorts } from "./control.ts";

export interface FlowControlRun {
  /** Values by metric name. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly failures: readonly unknown[];
}

/** Never rejects. */
export async function runFlowControl(
  mappings: readonly ControlledMapping[],
  readSignals: () => Promise<readonly LoadSignal[]>,
  ports: FlowControlPorts,
): Promise<FlowControlRun> {
  let unread = 0;
  const counting: FlowControlPorts = {
    ...ports,
    warn: (message, error) => {
      unread += 1;
      ports.warn(message, error);
    },
  };
  const signals = await readSignals().catch((error) => {
    counting.warn("The signals table was not read; mappings are to run.", error);
    return undefined;
  });
  const results = await Promise.allSettled(
    mappings.map((mapping) => controlMapping(mapping, signals, counting)),
  );
  const outcomes = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const loads = outcomes.flatMap(({ load }) => load ?? []);
  const names = metricNames.flowControl;
  return {
    metrics: {
      [names.mappingsPaused]: outcomes.filter(({ state }) => state === "paused").length,
      [names.pausedAgeMs]: Math.max(0, ...outcomes.map(({ pausedAgeMs }) => pausedAgeMs)),
      [names.mappingsChanging]: outcomes.filter(({ state }) => state === "changing").length,
      ...(loads.length > 0 && { [names.highestLoad]: Math.max(...loads) }),
      [names.tableFailures]: unread,
    },
    failures: results.flatMap((result) => (result.status === "rejected" ? [result.reason] : [])),
  };
}
