/** A pipeline's stages with the partitions of each, for whoever runs them without Kafka. */
import { partitionOf } from "../../../contracts/partitioning.ts";
import type { OutputRecord } from "../log/port.ts";
import { type PipelineDefinition, stagesOf } from "../pipeline/definition.ts";

export interface Stage {
  readonly definition: PipelineDefinition;
  /** Of every input, and so tasks. */
  readonly partitions: number;
}

/**
 * In the order in which records pass through them.
 * @param partitions of the topics that the pipeline's events come from
 */
export function stagesWithPartitions(pipeline: PipelineDefinition, partitions: number): readonly Stage[] {
  const stages: Stage[] = [];
  for (const definition of stagesOf(pipeline)) {
    const feeding = stages.find((stage) => feeds(stage.definition, definition));
    const own =
      feeding === undefined ? partitions : (feeding.definition.forwards!.partitions ?? feeding.partitions);
    stages.push({ definition, partitions: own });
  }
  return stages;
}

const feeds = ({ forwards }: PipelineDefinition, { inputs }: PipelineDefinition): boolean =>
  forwards !== null && inputs.some(({ topic }) => topic === forwards.topic);

/** The topics that its own stages do not write: those that its events come from, or those of its tables. */
export const topicsOf = (definition: PipelineDefinition, role: "events" | "table"): readonly string[] => [
  ...new Set(
    stagesOf(definition).flatMap(({ inputs }) =>
      inputs.filter((input) => input.role === role).map(({ topic }) => topic),
    ),
  ),
];

/** The partition that Kafka would put a record into. */
export const partitionOfOutput = ({ partition, key }: OutputRecord, partitions: number): number =>
  partition ?? partitionOf(key!, partitions);
