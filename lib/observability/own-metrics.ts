/** The platform's own metrics (contracts/metrics.ts), by the dimensions under which they are emitted. */
import { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { METRIC_NAMESPACE, type MetricName } from "../../contracts/metrics.ts";

/** `p95` and its like are CloudWatch's names of percentiles. */
export type Statistic = "Average" | "Maximum" | "Minimum" | "SampleCount" | "Sum" | "p50" | "p95" | "p99";

export interface MetricOptions {
  readonly statistic: Statistic;
  readonly label?: string;
  /** @default a minute */
  readonly period?: Duration;
}

/** One stage of a pipeline; for one that is no pipeline's see {@link ofFunction}. */
export interface StageName {
  readonly pipeline: string;
  readonly stage: string;
}

export class OwnMetrics {
  readonly #environment: string;

  constructor(environment: string) {
    this.#environment = environment;
  }

  ofStage(name: MetricName, { pipeline, stage }: StageName, options: MetricOptions): Metric {
    return this.#metric(name, { pipeline, stage }, options);
  }

  /** Functions serve every pipeline, so their metrics have no dimension of that name. */
  ofFunction(name: MetricName, stage: string, options: MetricOptions): Metric {
    return this.#metric(name, { stage }, options);
  }

  #metric(
    metricName: MetricName,
    dimensions: Readonly<Record<string, string>>,
    { statistic, label, period = Duration.minutes(1) }: MetricOptions,
  ): Metric {
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { environment: this.#environment, ...dimensions },
      statistic,
      period,
      ...(label !== undefined && { label }),
    });
  }
}

/** An id for a metric in an expression, where a graph has several of its kind. */
export const idOf = (kind: string, of: string): string => `${kind}_${of.replaceAll(/\W/g, "_")}`;
