/** How graphs look here: one place, so that every dashboard reads alike. */
import { type Duration, Duration as Time } from "aws-cdk-lib";
import {
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  type Metric,
  TextWidget,
  TextWidgetBackground,
} from "aws-cdk-lib/aws-cloudwatch";
import { idOf, type OwnMetrics, type StageName, type Statistic } from "./own-metrics.ts";

/** A dashboard is 24 wide. */
const WIDTH = 24;
const HEIGHT = 6;

/** Processors tell how their tasks are every ten seconds. */
const INTERVALS_PER_MINUTE = 6;

export interface GraphOptions {
  /** What the left axis counts: `s`, `ms`, `%`, `records`. */
  readonly unit: string;
  /** Lines where something changes: an alarm's threshold, a limit. @default none */
  readonly limits?: readonly { readonly value: number; readonly label: string }[];
}

/** A graph that is told how wide it is. */
export type Graph = (width: number) => GraphWidget;

export const graph =
  (title: string, left: readonly IMetric[], { unit, limits = [] }: GraphOptions): Graph =>
  (width) =>
    new GraphWidget({
      title,
      left: [...left],
      leftYAxis: { label: unit, showUnits: false, min: 0 },
      leftAnnotations: [...limits],
      height: HEIGHT,
      width,
    });

/** A line of graphs, each as wide as the others. */
export const row = (...graphs: readonly Graph[]): readonly IWidget[] =>
  graphs.map((make) => make(Math.floor(WIDTH / graphs.length)));

export const heading = (markdown: string, height = 1): readonly IWidget[] => [
  new TextWidget({ markdown, width: WIDTH, height, background: TextWidgetBackground.TRANSPARENT }),
];

export const percentiles = (of: (statistic: Statistic) => Metric): readonly Metric[] =>
  (["p50", "p95", "p99"] as const).map((statistic) => of(statistic));

/** The sum over all tasks of what each process lists of its own every interval, as it is at one moment. */
export function totalOf(metric: Metric, label: string, period: Duration = Time.minutes(1)): MathExpression {
  const total = idOf("total", label);
  return new MathExpression({
    expression: `${total} / ${INTERVALS_PER_MINUTE}`,
    usingMetrics: { [total]: metric.with({ statistic: "Sum", period }) },
    label,
    period,
  });
}

type StageMetric = Parameters<OwnMetrics["ofStage"]>[0];

/** A line for each stage. */
export const byStage = (
  own: OwnMetrics,
  stages: readonly StageName[],
  name: StageMetric,
  statistic: Statistic,
): readonly Metric[] =>
  stages.map((stage) => own.ofStage(name, stage, { statistic, label: `${stage.stage} ${statistic}` }));
