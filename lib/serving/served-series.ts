import type { ServedSeries } from "../../contracts/served-series.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { pipelinePartitions } from "../transport/topics.ts";

/** What the functions of the serving side are told of each pipeline's results. */
export const servedSeriesOf = (pipelines: readonly DeployedPipeline[]): readonly ServedSeries[] =>
  pipelines.flatMap((pipeline) =>
    pipeline.operators.map(({ series, closedAfterMs = null }) => ({
      name: series,
      access: pipeline.access ?? "private",
      notify: pipeline.notify ?? false,
      partitions: pipelinePartitions(pipeline),
      closedAfterMs,
    })),
  );
