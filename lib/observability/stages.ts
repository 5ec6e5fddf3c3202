/** What the alarms and dashboards need of pipelines: their stages, and who reads which topic. */
import { archiveConsumerGroup, consumerGroup, sinkConsumerGroup } from "../../contracts/environment.ts";
import { DEAD_LETTERS_PARTITIONS, DEAD_LETTERS_TOPIC, resultsTopic } from "../../contracts/topics.ts";
import { type DeployedPipeline, seriesOf, stagesOf } from "../processing/pipeline.ts";
import { pipelinePartitions } from "../transport/topics.ts";
import type { StageName } from "./own-metrics.ts";

export interface DeployedStage extends StageName {
  readonly topics: readonly string[];
  /** Of each of its topics, so of its tasks. */
  readonly partitions: number;
  /** How much may wait for one task. */
  readonly maxBacklogRecordsPerTask: number;
}

/** A consumer group that commits offsets of a topic. */
export interface GroupReading {
  /** In names of alarms. */
  readonly reader: string;
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
}

/** What a task that clears 1,000 records a second works off within the latency target of ten seconds. */
export const DEFAULT_MAX_BACKLOG_RECORDS = 10_000;

/** In the order in which events pass them. */
export const deployedStages = (pipeline: DeployedPipeline): readonly DeployedStage[] =>
  stagesOf(pipeline).map((stage) => ({
    pipeline: pipeline.name,
    stage: stage.name,
    topics: stage.inputs.map(({ topic }) => topic),
    partitions: pipelinePartitions(stage),
    maxBacklogRecordsPerTask: stage.maxBacklogRecordsPerTask ?? DEFAULT_MAX_BACKLOG_RECORDS,
  }));

export const readingsOf = (
  environment: string,
  { stage, topics, partitions }: DeployedStage,
): readonly GroupReading[] =>
  topics.map((topic) => ({ reader: stage, group: consumerGroup(environment, stage), topic, partitions }));

export const archiveReading = (environment: string): GroupReading => ({
  reader: "archive",
  group: archiveConsumerGroup(environment),
  topic: DEAD_LETTERS_TOPIC,
  partitions: DEAD_LETTERS_PARTITIONS,
});

export const sinkReadings = (
  environment: string,
  pipelines: readonly DeployedPipeline[],
): readonly GroupReading[] =>
  pipelines.flatMap((pipeline) =>
    seriesOf([pipeline]).map((series) => ({
      reader: "sink",
      group: sinkConsumerGroup(environment, series),
      topic: resultsTopic(series),
      partitions: pipelinePartitions(pipeline),
    })),
  );
