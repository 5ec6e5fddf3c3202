/**
 * Names of alarms that others refer to: a deployment is rolled back by the names of alarms, which it must know without
 * the stack that makes them.
 */
import { type DeployedPipeline, stagesOf } from "../processing/pipeline.ts";
import { alarmName } from "./alarm.ts";

/** What goes wrong in one stage of a pipeline. */
export type StageAlarm =
  | "backlog-seconds"
  | "checkpoint-age"
  | "checkpoint-failures"
  | "crashes"
  | "errors"
  | "latency"
  | "no-data"
  | "parked"
  | "queue-depth"
  | "skew"
  | "state-limit"
  | "underused"
  | "watermark-stalled";

export const stageAlarm = (stage: string, kind: StageAlarm): string => `pipeline-${stage}-${kind}`;

/** Of the stages and each of the topics that they read. */
export const lagAlarm = (stage: string, topic: string, kind: "time-lag" | "offset-lag"): string =>
  `pipeline-${stage}-${topic}-${kind}`;

/** The composite that pages once, whichever of the pipeline's stages is behind. */
export const behindAlarm = (pipeline: string): string => `pipeline-${pipeline}-behind`;

/** What a new version of a service can break at once, in whichever stage. */
export const DEPLOYMENT_ALARMS: readonly StageAlarm[] = ["errors", "checkpoint-failures", "crashes"];

/** Full names of the alarms on which a deployment of a service that runs these pipelines should be rolled back. */
export const deploymentAlarmNames = (
  environment: string,
  pipelines: readonly DeployedPipeline[],
): readonly string[] =>
  pipelines
    .flatMap(stagesOf)
    .flatMap(({ name }) => DEPLOYMENT_ALARMS.map((kind) => alarmName(environment, stageAlarm(name, kind))));
