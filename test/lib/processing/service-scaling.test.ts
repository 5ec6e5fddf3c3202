import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { environmentConfig } from "../../../lib/config/environments.ts";
import { pipelines } from "../../../processors/pipelines/all.ts";
import { type Resource, resources, synthesize } from "../synthesize.ts";

const prod = environmentConfig("prod");
const [first, ...others] = pipelines;
const schedules = [{ name: "morning", cron: "0 6 ? * MON-FRI *", timeZone: "Europe/Berlin", minTasks: 3 }];
const scaled = { ...first!, scaling: { targetBacklogSeconds: 5, schedules } };

describe("the number of a service's tasks", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize({ config: prod, pipelines: [scaled, ...others] }).processing;
  });
  const of = (type: string): readonly Resource[] =>
    resources(template, type).filter(({ logicalId }) =>
      logicalId.startsWith(`Service${scaled.service.replaceAll("-", "")}Scaling`),
    );
  const policies = () => of("AWS::ApplicationAutoScaling::ScalingPolicy").map(({ Properties }) => Properties);

  test("lies between the environment's least and the partitions, which cap what tasks are good for", () => {
    const targets = resources(template, "AWS::ApplicationAutoScaling::ScalableTarget");

    expect(targets.length).toBe(resources(template, "AWS::ECS::Service").length);
    for (const { Properties } of targets) {
      expect(Properties.MinCapacity).toBe(prod.processors.minTasks);
      expect(Properties.MaxCapacity).toBe(4);
    }
  });

  test("is not in the service's own template: a deployment reset it to two in the middle of a burst", () => {
    for (const { Properties } of resources(template, "AWS::ECS::Service")) {
      expect(Properties.DesiredCount).toBeUndefined();
    }
  });

  test("grows by the backlog in seconds, faster where it is far behind", () => {
    const [alarm] = of("AWS::CloudWatch::Alarm").filter(({ logicalId }) => logicalId.includes("Behind"));

    expect(alarm!.Properties).toMatchObject({
      ComparisonOperator: "GreaterThanThreshold",
      Threshold: 5,
      TreatMissingData: "ignore",
    });
    expect(JSON.stringify(alarm!.Properties)).toContain('"BacklogSeconds"');
    expect(
      policies().map(({ StepScalingPolicyConfiguration }) => StepScalingPolicyConfiguration?.StepAdjustments),
    ).toContainEqual([
      { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 25, ScalingAdjustment: 1 },
      { MetricIntervalLowerBound: 25, ScalingAdjustment: 2 },
    ]);
  });

  test("shrinks where every task was little busy for ten minutes, and never because lag is 0", () => {
    const [alarm] = of("AWS::CloudWatch::Alarm").filter(({ logicalId }) => logicalId.includes("Idle"));

    expect(alarm!.Properties).toMatchObject({
      ComparisonOperator: "LessThanThreshold",
      Threshold: 40,
      EvaluationPeriods: 10,
      TreatMissingData: "ignore",
    });
    for (const { Properties } of of("AWS::CloudWatch::Alarm")) {
      expect(JSON.stringify(Properties)).not.toMatch(/Lag/);
      expect(Properties.AlarmActions).toHaveLength(1);
    }
  });

  test("has the processor's load for a floor, which never takes a task away, and a forecast that changes nothing", () => {
    const [cpu] = policies().filter(({ PolicyType }) => PolicyType === "TargetTrackingScaling");
    const [forecast] = policies().filter(({ PolicyType }) => PolicyType === "PredictiveScaling");

    expect(cpu.TargetTrackingScalingPolicyConfiguration).toMatchObject({
      TargetValue: 70,
      DisableScaleIn: true,
      PredefinedMetricSpecification: { PredefinedMetricType: "ECSServiceAverageCPUUtilization" },
    });
    expect(forecast.PredictiveScalingPolicyConfiguration.Mode).toBe("ForecastOnly");
  });

  test("follows the schedules of its pipelines", () => {
    const [target] = of("AWS::ApplicationAutoScaling::ScalableTarget");

    expect(target!.Properties.ScheduledActions).toEqual([
      {
        ScheduledActionName: "Schedule-morning",
        Schedule: "cron(0 6 ? * MON-FRI *)",
        Timezone: "Europe/Berlin",
        ScalableTargetAction: { MinCapacity: 3 },
      },
    ]);
  });
});

describe("the capacity that tasks run on", () => {
  const strategy = (environment: string) => {
    const { processing } = synthesize({ config: environmentConfig(environment) });
    return resources(processing, "AWS::ECS::Service")[0]!.Properties.CapacityProviderStrategy;
  };

  test("is nobody else's in prod, spare in dev, and both in staging, with one task that stays", () => {
    expect(strategy("prod")).toEqual([{ CapacityProvider: "FARGATE", Base: 1, Weight: 10 }]);
    expect(strategy("dev")).toEqual([{ CapacityProvider: "FARGATE_SPOT", Weight: 10 }]);
    expect(strategy("staging")).toEqual([
      { CapacityProvider: "FARGATE", Base: 1, Weight: 5 },
      { CapacityProvider: "FARGATE_SPOT", Weight: 5 },
    ]);
  });
});

test("a deployment that breaks checkpoints, crashes or errs is rolled back, and one that only raises lag is not", () => {
  const { processing } = synthesize({ config: prod });

  for (const { Properties } of resources(processing, "AWS::ECS::Service")) {
    const { Alarms, DeploymentCircuitBreaker } = Properties.DeploymentConfiguration;
    expect(DeploymentCircuitBreaker).toEqual({ Enable: true, Rollback: true });
    expect(Alarms).toMatchObject({ Enable: true, Rollback: true });
    for (const kind of ["errors", "checkpoint-failures", "crashes"]) {
      expect(Alarms.AlarmNames.some((name: string) => name.endsWith(`-${kind}`))).toBe(true);
    }
    expect(Alarms.AlarmNames.filter((name: string) => /lag|behind|backlog/.test(name))).toEqual([]);
  }
});
