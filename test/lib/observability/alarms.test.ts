import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { severities } from "../../../lib/observability/alarm.ts";
import { deploymentAlarmNames } from "../../../lib/observability/alarm-names.ts";
import { pipelines } from "../../../processors/pipelines/all.ts";
import { dev, resources, synthesize, type Templates, theResource } from "../synthesize.ts";
import { added } from "./added-pipeline.ts";
import { emittedMetrics, unemitted } from "./emitted.ts";
import { alarmNamed, alarmsIn, compositesIn, metricsOf, nameOf, textOf } from "./templates.ts";

const root = new URL("../../../", import.meta.url);

const door = {
  name: "partner",
  producerAccount: "111111111111",
  eventTypes: ["flight.departed"],
  shards: 1,
  retentionHours: 72,
  function: dev.spillway.forward,
  batchRecords: 100,
} as const;

const targets = { page: ["https://pager.example/hook"], ticket: ["team@example.org"] };

let templates: Templates;
let template: Template;
beforeAll(() => {
  templates = synthesize({
    pipelines: [...pipelines, added],
    config: { ...dev, watching: "all", doors: [door], alarms: targets },
  });
  template = templates.observability;
});

const everyAlarm = () => [...alarmsIn(template), ...compositesIn(template)];
const names = () => everyAlarm().map(nameOf);

describe("every alarm", () => {
  test("has a name of its own, and says how bad it is, why, and where to read on", () => {
    expect(new Set(names()).size).toBe(names().length);
    for (const { Properties } of everyAlarm()) {
      expect(Properties.AlarmName).toMatch(/^spillway-dev-[a-z0-9.-]+$/);
      expect(Properties.AlarmDescription).toMatch(
        /^\[(page|ticket|notice)\] .{20,} What to do: docs\/runbooks\/[a-z-]+\.md$/,
      );
      expect(Properties.AlarmDescription.length).toBeLessThanOrEqual(1_024);
    }
  });

  test("has a runbook that says what it means, what to look at and what to do", () => {
    const pages = new Set(
      everyAlarm().map(({ Properties }) => /docs\/\S+\.md/.exec(Properties.AlarmDescription)![0]),
    );
    for (const page of pages) {
      expect(existsSync(fileURLToPath(new URL(page, root))), page).toBe(true);
      const text = readFileSync(fileURLToPath(new URL(page, root)), "utf8");
      expect(text, page).toMatch(/^# Runbook: /);
      expect(text, page).toMatch(/\*\*What it means\.\*\*/);
      expect(text, page).toMatch(/\*\*(What to look at|Where to begin)\.\*\*/);
      expect(text, page).toMatch(/what to do|way out/i);
    }
  });

  test("treats missing data as was decided for it, and says why", () => {
    for (const { Properties, ...alarm } of alarmsIn(template)) {
      expect(["breaching", "notBreaching", "ignore"], nameOf({ Properties, ...alarm })).toContain(
        Properties.TreatMissingData,
      );
      const { Metadata } = template.toJSON().Resources[alarm.logicalId];
      expect(Metadata.missingData).toMatch(/\w{3}/);
    }
  });

  test("is about a metric that somebody emits, under the dimensions under which it is emitted", () => {
    const emitted = emittedMetrics();
    const mistakes = alarmsIn(template).flatMap((alarm) =>
      metricsOf(alarm).flatMap((metric) => unemitted(metric, emitted) ?? []),
    );
    expect(mistakes).toEqual([]);
  });
});

describe("known mistakes", () => {
  test("no alarm on lag has a Broker ID, under which lag is never emitted", () => {
    const lags = alarmsIn(template)
      .flatMap(metricsOf)
      .filter(({ name }) => /Lag$/.test(name));
    expect(lags.length).toBeGreaterThan(10);
    for (const { dimensions } of lags.filter(({ namespace }) => namespace === "AWS/Kafka")) {
      expect(Object.keys(dimensions).toSorted()).toEqual(["Cluster Name", "Consumer Group", "Topic"]);
    }
  });

  test("a stream that nobody writes to does not page: an absent iterator age is no breach", () => {
    const ages = alarmsIn(template).filter((alarm) =>
      metricsOf(alarm).some(({ name }) => name === "IteratorAge"),
    );
    expect(ages.map(nameOf)).toEqual([
      "spillway-dev-stream-forward-iterator-age",
      "spillway-dev-stream-forward-high-iterator-age",
      "spillway-dev-stream-door-partner-iterator-age",
      "spillway-dev-spillway-filling-faster-than-draining",
    ]);
    for (const { Properties } of ages) expect(Properties.TreatMissingData).toBe("notBreaching");
  });

  test("a drained topic of transactions, which shows a lag of 1 a partition, is not behind", () => {
    expect(
      alarmNamed(template, "pipeline-added-added.by-place.forwarded-offset-lag").Properties,
    ).toMatchObject({
      // A task of 10,000 records' limit has half of that processed in an interval of 5 s, and not committed.
      Threshold: 2 * 15_001,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "ignore",
    });
  });

  test("a checkpoint interval that was raised does not make its alarms go off in health", () => {
    const alarmsAt = (checkpointIntervalMs: number) => {
      const config = {
        ...dev,
        watching: "all" as const,
        processors: { ...dev.processors, checkpointIntervalMs },
      };
      const { observability } = synthesize({ config });
      return (kind: string): number =>
        alarmNamed(observability, `pipeline-airport-delays-${kind}`).Properties.Threshold;
    };
    const [second, ten] = [alarmsAt(1_000), alarmsAt(10_000)];

    expect(["checkpoint-age", "latency", "end-to-end-latency", "flights-offset-lag"].map(second)).toEqual([
      60_000, 2_368, 18_414, 44_004,
    ]);
    expect(["checkpoint-age", "latency", "end-to-end-latency", "flights-offset-lag"].map(ten)).toEqual([
      120_000,
      2_368 + 2 * 9_000,
      18_414 + 2 * 9_000,
      80_004,
    ]);
  });

  test("no expression reads further back, or more often, than CloudWatch evaluates alarms", () => {
    for (const { Properties } of alarmsIn(template)) {
      const period =
        Properties.Period ??
        Math.max(...Properties.Metrics.map(({ MetricStat }: never) => periodOf(MetricStat)));
      expect(period % 60).toBe(0);
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
      expect(period * Properties.EvaluationPeriods).toBeLessThanOrEqual(86_400);
    }
  });
});

const periodOf = (stat: { readonly Period: number } | undefined): number => stat?.Period ?? 0;

describe("what is derived", () => {
  test("a pipeline that is added has its alarms, each of its stages its own, with no other edit", () => {
    const ofAdded = names().filter((name) => name.startsWith("spillway-dev-pipeline-added"));
    const kinds = (stage: string) =>
      ofAdded.flatMap((name) =>
        name.startsWith(`spillway-dev-pipeline-${stage}-`) ? [name.split(`${stage}-`).at(-1)] : [],
      );
    expect(kinds("added.by-place").length).toBeGreaterThanOrEqual(13);
    expect(alarmNamed(template, "pipeline-added.by-place-queue-depth").Properties.Threshold).toBe(500);
    expect(ofAdded).toContain("spillway-dev-pipeline-added-behind");
    expect(names()).toContain("spillway-dev-pipeline-sink-added.results-time-lag");
  });

  test("every function has alarms, in whichever stack it is", () => {
    const functions = Object.entries(templates)
      .filter(([stack]) => stack !== "observability")
      .flatMap(([, each]) => resources(each, "AWS::Lambda::Function"))
      .filter(({ Properties }) => Properties.Environment?.Variables?.SPILLWAY_ENVIRONMENT);
    const watched = names().filter((name) => /^spillway-dev-function-.*-errors$/.test(name));
    expect(functions.length).toBeGreaterThanOrEqual(8);
    expect(watched).toHaveLength(functions.length);
  });

  test("the alarms that roll a deployment back are known by name before they are made", () => {
    expect(deploymentAlarmNames("dev", [added])).toHaveLength(6);
    for (const name of deploymentAlarmNames("dev", [...pipelines, added])) expect(names()).toContain(name);
  });

  test("notices that a webhook does not take have an alarm where there is a webhook", () => {
    expect(dev.serving.webhook).toBeDefined();
    expect(metricsOf(alarmNamed(template, "webhook-refused")).map(({ name }) => name)).toEqual([
      "DeliveriesTried",
      "NoticesDelivered",
    ]);
    const without = synthesize({ config: { ...dev, watching: "all", serving: {} } }).observability;
    expect(alarmsIn(without).map(nameOf)).not.toContain("spillway-dev-webhook-refused");
  });

  test("no other stack needs this one", () => {
    for (const [stack, each] of Object.entries(templates)) {
      if (stack !== "observability") expect(JSON.stringify(each.toJSON())).not.toContain("-Observability");
    }
  });

  test("and it keeps nothing of theirs from being taken away", () => {
    const text = JSON.stringify(template.toJSON());
    expect(text).toContain("Fn::GetStackOutput");
    expect(text).not.toContain("Fn::ImportValue");
  });
});

test("an environment that watches the essential only has what pages and what rolls back, and one dashboard", () => {
  const all = [...pipelines, added];
  const essential = synthesize({ pipelines: all, config: { ...dev, watching: "essential" } }).observability;
  const rollingBack = deploymentAlarmNames("dev", all);
  const kept = [...alarmsIn(essential), ...compositesIn(essential)].map(nameOf);

  expect(kept).toEqual(expect.arrayContaining([...rollingBack]));
  const others = alarmsIn(essential).filter((alarm) => !rollingBack.includes(nameOf(alarm)));
  for (const { Properties } of others) expect(Properties.AlarmDescription).toMatch(/^\[page\]/);
  expect(others.length).toBeGreaterThan(30);
  expect(resources(essential, "AWS::CloudWatch::Dashboard")).toHaveLength(1);
});

describe("one cause, one message", () => {
  test("members of a composite tell nobody, everything else does", () => {
    const members = compositesIn(template).flatMap(({ Properties }) =>
      [...JSON.stringify(Properties.AlarmRule).matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)].map(
        ([, id]) => id!,
      ),
    );
    expect(members.length).toBeGreaterThan(20);
    for (const { logicalId, Properties } of alarmsIn(template)) {
      if (members.includes(logicalId)) expect(Properties.AlarmActions).toBeUndefined();
      else expect(Properties.AlarmActions).toHaveLength(1);
    }
  });

  test("pipelines that are behind say nothing while Kafka is unhealthy", () => {
    const [kafka, ...behind] = compositesIn(template);
    expect(nameOf(kafka!)).toBe("spillway-dev-kafka-unhealthy");
    expect(kafka!.Properties.ActionsSuppressor).toBeUndefined();
    expect(behind.map(nameOf)).toContain("spillway-dev-sink-behind");
    expect(behind).toHaveLength(pipelines.length + 2);
    for (const { Properties } of behind) {
      expect(Properties.ActionsSuppressor).toEqual({ "Fn::GetAtt": [kafka!.logicalId, "Arn"] });
    }
  });
});

describe("who is told", () => {
  test("each severity has a topic, encrypted with a key that CloudWatch may use for our alarms", () => {
    const topics = resources(template, "AWS::SNS::Topic");
    expect(topics).toHaveLength(severities.length);
    const key = theResource(template, "AWS::KMS::Key");
    for (const { Properties } of topics) {
      expect(Properties.KmsMasterKeyId).toEqual({ "Fn::GetAtt": [key.logicalId, "Arn"] });
    }
    const statement = key.Properties.KeyPolicy.Statement.find(
      ({ Principal }: { Principal: { Service?: string } }) =>
        Principal.Service === "cloudwatch.amazonaws.com",
    );
    expect(statement.Action).toEqual(["kms:Decrypt", "kms:GenerateDataKey*"]);
    expect(textOf(statement.Condition.ArnLike["aws:SourceArn"])).toMatch(/:alarm:spillway-dev-\*$/);
  });

  test("and whom the configuration names", () => {
    const subscriptions = resources(template, "AWS::SNS::Subscription").map(({ Properties }) => Properties);
    expect(subscriptions).toMatchObject([
      { Protocol: "https", Endpoint: "https://pager.example/hook" },
      { Protocol: "email", Endpoint: "team@example.org" },
    ]);
  });

  test("a deployment that ECS gave up is an event, of the environment's own services only", () => {
    const { EventPattern, Targets } = theResource(template, "AWS::Events::Rule").Properties;
    expect(EventPattern.detail).toEqual({ eventName: ["SERVICE_DEPLOYMENT_FAILED"] });
    expect(textOf(EventPattern.resources[0].prefix)).toMatch(/:service\/deployed\/$/);
    expect(Targets).toHaveLength(1);
    expect(Targets[0].InputTransformer.InputTemplate).toContain("docs/runbooks/deployment-failed.md");
  });
});
