/** How the number of a service's tasks follows its load. The CDK app makes the rules of it; the engine knows none. */
import { PipelineError, requireName, shown } from "./checks.ts";

export interface ScalingOptions {
  /**
   * For how long of its own pace events may wait for a task before there is one more, in seconds. Where pipelines share a
   * service the smallest counts. Default: 10, at which the load factor is 1.
   */
  readonly targetBacklogSeconds?: number;
  /** Times from which the service has at least so many tasks, as long as no other one comes. Default: none. */
  readonly schedules?: readonly ScalingSchedule[];
}

export interface ScalingSchedule {
  /** Lower-case words joined by hyphens; distinct within the service. */
  readonly name: string;
  /** Minutes, hours, day of month, month, day of week, year, as Amazon's schedules have them: `0 6 ? * MON-FRI *`. */
  readonly cron: string;
  /** An IANA time zone. */
  readonly timeZone: string;
  readonly minTasks: number;
}

export type ScalingRules = Required<ScalingOptions>;

const DEFAULT_TARGET_BACKLOG_SECONDS = 10;
const CRON_FIELDS = 6;

/** @throws PipelineError where a rule cannot be meant */
export function scalingRules(
  pipeline: string,
  { targetBacklogSeconds = DEFAULT_TARGET_BACKLOG_SECONDS, schedules = [] }: ScalingOptions,
): ScalingRules {
  if (!(Number.isFinite(targetBacklogSeconds) && targetBacklogSeconds >= 1)) {
    throw new PipelineError(
      `pipeline ${pipeline}: scaling.targetBacklogSeconds is ${shown(targetBacklogSeconds)}; it must be 1 or more`,
    );
  }
  schedules.forEach((schedule, index) => {
    requireSchedule(`pipeline ${pipeline}: scaling.schedules[${index}]`, schedule);
  });
  return { targetBacklogSeconds, schedules };
}

function requireSchedule(where: string, { name, cron, timeZone, minTasks }: ScalingSchedule): void {
  requireName(`${where}.name`, name);
  if (cron.trim().split(/\s+/).length !== CRON_FIELDS) {
    throw new PipelineError(
      `${where}.cron is ${shown(cron)}; it must have six fields: minutes, hours, day of month, month, day of week, year`,
    );
  }
  if (!Intl.supportedValuesOf("timeZone").includes(timeZone) && timeZone !== "UTC") {
    throw new PipelineError(
      `${where}.timeZone is ${shown(timeZone)}; it must be one such as Europe/Berlin or UTC`,
    );
  }
  if (!(Number.isSafeInteger(minTasks) && minTasks >= 0)) {
    throw new PipelineError(`${where}.minTasks is ${shown(minTasks)}; it must be a whole number`);
  }
}
