/** Takes a template's alarms and dashboards apart. */
import type { Template } from "aws-cdk-lib/assertions";
import { type Resource, resources } from "../synthesize.ts";

export const alarmsIn = (template: Template): readonly Resource[] =>
  resources(template, "AWS::CloudWatch::Alarm");

export const compositesIn = (template: Template): readonly Resource[] =>
  resources(template, "AWS::CloudWatch::CompositeAlarm");

export const nameOf = ({ Properties }: Resource): string => Properties.AlarmName;

export function alarmNamed(template: Template, name: string): Resource {
  const found = alarmsIn(template).find((alarm) => nameOf(alarm) === `spillway-dev-${name}`);
  if (!found) throw new Error(`No alarm is called ${name}.`);
  return found;
}

export interface UsedMetric {
  readonly namespace: string;
  readonly name: string;
  /** Dimensions by name; values may be intrinsic functions. */
  readonly dimensions: Readonly<Record<string, unknown>>;
  readonly statistic: string;
}

/** The metrics of an alarm: its own, or those of its expression. */
export function metricsOf({ Properties }: Resource): readonly UsedMetric[] {
  if (Properties.MetricName)
    return [usedMetric(Properties, Properties.Statistic ?? Properties.ExtendedStatistic)];
  return Properties.Metrics.flatMap(({ MetricStat }: { MetricStat?: { Metric: never; Stat: string } }) =>
    MetricStat ? [usedMetric(MetricStat.Metric, MetricStat.Stat)] : [],
  );
}

interface TemplateMetric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

const usedMetric = (
  { Namespace, MetricName, Dimensions = [] }: TemplateMetric,
  statistic: string,
): UsedMetric => ({
  namespace: Namespace,
  name: MetricName,
  dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value])),
  statistic,
});

/** Text in which whatever is only known when it is deployed stands as `deployed`. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const join = (value as { "Fn::Join"?: [string, readonly unknown[]] })["Fn::Join"];
  return join ? join[1].map(textOf).join(join[0]) : "deployed";
}
