import { expect, test } from "vitest";
import { metrics } from "../../../contracts/metrics.ts";
import { DEPLOYMENT_ALARMS } from "../../../lib/observability/alarm-names.ts";
import { deploymentFailed } from "../../../lib/observability/deployment-events.ts";
import { stagesOf } from "../../../lib/processing/pipeline.ts";
import { pipelines } from "../../../processors/pipelines/all.ts";
import { dev, type Resource, resources, synthesize } from "../synthesize.ts";
import { alarmsIn, compositesIn, metricsOf, nameOf } from "./templates.ts";

const template = synthesize({ config: { ...dev, watching: "all" } }).observability;
const resourcesById = template.toJSON().Resources;

/** https://aws.amazon.com/cloudwatch/pricing/, USD a month, for alarms by the metrics that they read. */
const PRICES = { alarmMetric: 0.1, composite: 0.5, metric: 0.3, dashboard: 3 };
/** Of an account. */
const FREE_DASHBOARDS = 3;

const signs: Readonly<Record<string, string>> = {
  GreaterThanThreshold: ">",
  GreaterThanOrEqualToThreshold: "≥",
  LessThanThreshold: "<",
};
const treatments: Readonly<Record<string, string>> = {
  breaching: "breaching",
  notBreaching: "not breaching",
  ignore: "the state before",
};

/** Longest first, since names begin with others. */
const stages = pipelines
  .flatMap((pipeline) => stagesOf(pipeline).map(({ name }) => name))
  .toSorted((a, b) => b.length - a.length);
const topics = pipelines
  .flatMap((pipeline) => stagesOf(pipeline).flatMap(({ inputs }) => inputs.map(({ topic }) => topic)))
  .toSorted((a, b) => b.length - a.length);

/** Alarms that differ by the stage, topic, broker or function only have one row. */
function kindOf(alarm: Resource): string {
  let kind = nameOf(alarm).replace("spillway-dev-", "");
  const stage = stages.find((name) => kind.startsWith(`pipeline-${name}-`));
  if (stage) kind = kind.replace(stage, "<stage>");
  const topic = topics.find((name) => kind.includes(`<stage>-${name}-`));
  if (topic) kind = kind.replace(topic, "<topic>");
  return kind
    .replace(/^pipeline-sink-.*\.results-/, "pipeline-sink-<series>.results-")
    .replace(/^kafka-broker-\d+-/, "kafka-broker-<n>-")
    .replace(/^function-.*-(errors|throttles|concurrency)$/, "function-<name>-$1");
}

const textsOf = (alarm: Resource) =>
  /^\[(?<severity>\w+)\] (?<reason>.*) What to do: docs\/(?<page>\S+)$/.exec(
    alarm.Properties.AlarmDescription,
  )!.groups as Record<"severity" | "reason" | "page", string>;

function thresholdOf({ logicalId, Properties }: Resource): string {
  const { unit } = resourcesById[logicalId].Metadata;
  const { Threshold, ComparisonOperator, EvaluationPeriods } = Properties;
  const period =
    Properties.Period ?? Properties.Metrics.find((metric: never) => periodIn(metric))?.MetricStat.Period;
  const minutes = (period * EvaluationPeriods) / 60;
  const duration = minutes >= 60 ? `${minutes / 60} h` : `${minutes} min`;
  const amount = new Intl.NumberFormat("en").format(Threshold);
  return `${signs[ComparisonOperator]} ${amount} ${unit}, ${duration}`.replace("  ", " ");
}

const periodIn = (metric: { readonly MetricStat?: { readonly Period: number } }) => metric.MetricStat?.Period;

const usd = (amount: number): string => amount.toFixed(2);

const link = (page: string) => `[${page.replace(/^runbooks\/|\.md$/g, "")}](${page})`;

/** A row: the thresholds of all alarms of a kind, and what they share. */
function rowOf(kind: string, alarms: readonly Resource[]): string {
  const [first] = alarms;
  const { severity, reason, page } = textsOf(first!);
  const thresholds = [...new Set(alarms.map(thresholdOf))].join(" / ");
  const { missingData } = resourcesById[first!.logicalId].Metadata;
  const missing = `${treatments[first!.Properties.TreatMissingData]}: ${missingData}`;
  return `| \`${kind}\` (${alarms.length}) | ${severity} | ${thresholds} | ${reason} | ${missing} | ${link(page)} |`;
}

function pageOf(): string {
  const alarms = alarmsIn(template);
  const composites = compositesIn(template);
  const rows = [...Map.groupBy(alarms, kindOf)].map(([kind, each]) => rowOf(kind, each));
  const compositeRows = [...Map.groupBy(composites, kindOf)].map(([kind, each]) => {
    const { severity, reason, page } = textsOf(each[0]!);
    return `| \`${kind}\` (${each.length}) | ${severity} | ${reason} | ${link(page)} |`;
  });
  const alarmMetrics = alarms.flatMap(metricsOf).length;
  const { processor, ...ofFunctions } = metrics;
  const perStage = Object.keys(processor).length;
  const functionMetrics = Object.values(ofFunctions).flatMap((each) => Object.keys(each)).length;
  const ownMetrics = perStage * stages.length + functionMetrics;
  const dashboards = resources(template, "AWS::CloudWatch::Dashboard").length;
  const dashboardCost = Math.max(0, dashboards - FREE_DASHBOARDS) * PRICES.dashboard;
  const cost = alarmMetrics * PRICES.alarmMetric + composites.length * PRICES.composite;
  const ofStages = alarms.filter((alarm) => kindOf(alarm).startsWith("pipeline-<stage>-"));
  return `# The alarms

Of \`dev\` with \`watching: "all"\`, as staging and prod have it. With \`"essential"\`, as dev has it, there are those that page and,
of each stage, \`${DEPLOYMENT_ALARMS.join("`, `")}\`, which roll a deployment back; and no dashboard but the platform's.

Made of the synthesized template by test/lib/observability/alarms-page.test.ts; after a change of alarms
\`npx vitest run test/lib/observability/alarms-page.test.ts -u\` writes it anew. [operations.md](operations.md) says how alarms
are to be read.

In brackets: how many of a kind there are. Names have \`spillway-dev-\` in front.

| alarm | severity | threshold | why | no data is | runbook |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

Composites are on while one of their members is; members send nothing themselves.

| composite | severity | why | runbook |
| --- | --- | --- | --- |
${compositeRows.join("\n")}

An event of ECS, and no alarm: \`${deploymentFailed.name}\` (${deploymentFailed.severity}). ${deploymentFailed.reason} ${link(`runbooks/${deploymentFailed.runbook}.md`)}

## What watching costs

USD a month, by CloudWatch's list prices for us-east-1. What is emitted where it happens only costs for the hours in which it does.

| what | how many | each | a month |
| --- | --- | --- | --- |
| metrics that alarms read (${alarms.length} alarms, ${ofStages.length / stages.length} of each of ${stages.length} stages) | ${alarmMetrics} | ${usd(PRICES.alarmMetric)} | ${usd(alarmMetrics * PRICES.alarmMetric)} |
| composites | ${composites.length} | ${usd(PRICES.composite)} | ${usd(composites.length * PRICES.composite)} |
| own metrics (${perStage} of each stage, ${functionMetrics} of functions) | ${ownMetrics} | ${usd(PRICES.metric)} | ${usd(ownMetrics * PRICES.metric)} |
| dashboards, of which an account has ${FREE_DASHBOARDS} for nothing | ${dashboards} | ${usd(PRICES.dashboard)} | ${usd(dashboardCost)} |
| together | | | ${usd(cost + ownMetrics * PRICES.metric + dashboardCost)} |
`;
}

test("docs/alarms.md lists every alarm as it is deployed", async () => {
  await expect(pageOf()).toMatchFileSnapshot("../../../docs/alarms.md");
});
