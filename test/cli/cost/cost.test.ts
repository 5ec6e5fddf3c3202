/** `spillway cost`: its sums, and that docs/costs.md has those of today's templates. */
import { beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../../cli/command.ts";
import { costOptions, estimatesOf, LOADS } from "../../../cli/cost/command.ts";
import { type Estimate, estimate } from "../../../cli/cost/estimate.ts";
import { total } from "../../../cli/cost/line.ts";
import { costsPage } from "../../../cli/cost/page.ts";
import { brokerPrice, prices } from "../../../cli/cost/prices.ts";
import { shapeOf } from "../../../cli/cost/shape.ts";
import { standingLines, unknownTypes } from "../../../cli/cost/standing.ts";
import { type Resource, resourcesIn, type Template } from "../../../cli/cost/template.ts";
import { estimateText } from "../../../cli/cost/text.ts";
import { processorScale } from "../../../cli/cost/traffic.ts";
import { environmentConfig, environmentNames } from "../../../lib/config/environments.ts";
import { synthesize } from "../../lib/synthesize.ts";

const standing = (Type: string, Properties: object): number =>
  total(standingLines([{ logicalId: "Resource", Type, Properties }]));

describe("what stands there", () => {
  test.each([
    ["AWS::EC2::NatGateway", {}, 730 * 0.045],
    [
      "AWS::EC2::Instance",
      {
        InstanceType: "t4g.nano",
        BlockDeviceMappings: [{ Ebs: { VolumeSize: 8 } }],
        NetworkInterfaces: [{ AssociatePublicIpAddress: true }],
      },
      730 * (0.0042 + 0.005) + 8 * 0.08,
    ],
    ["AWS::EC2::VPCEndpoint", { VpcEndpointType: "Interface", SubnetIds: ["a", "b", "c"] }, 730 * 3 * 0.01],
    ["AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" }, 0],
    ["AWS::Kinesis::Stream", { ShardCount: 2, RetentionPeriodHours: 24 }, 2 * 730 * 0.015],
    ["AWS::Kinesis::Stream", { ShardCount: 2, RetentionPeriodHours: 168 }, 2 * 730 * (0.015 + 0.02)],
    ["AWS::Kinesis::Stream", { StreamModeDetails: { StreamMode: "ON_DEMAND" } }, 730 * 0.04],
    ["AWS::CloudWatch::Alarm", { MetricName: "Errors" }, 0.1],
    // Of an expression over two metrics: each of them, and not the expression.
    [
      "AWS::CloudWatch::Alarm",
      { Metrics: [{ Expression: "a/b" }, { MetricStat: {} }, { MetricStat: {} }] },
      0.2,
    ],
    ["AWS::CloudWatch::CompositeAlarm", {}, 0.5],
    ["AWS::CloudWatch::Dashboard", {}, 3],
    ["AWS::SecretsManager::Secret", {}, 0.4],
    ["AWS::KMS::Key", {}, 1],
    ["AWS::WAFv2::WebACL", { Rules: [{}, {}] }, 5 + 2],
    ["AWS::IAM::Role", {}, 0],
  ])("%s %j", (type, properties, usd) => {
    expect(standing(type, properties)).toBeCloseTo(usd, 9);
  });

  test("three brokers, their disks and their logs", () => {
    const cluster = {
      NumberOfBrokerNodes: 3,
      BrokerNodeGroupInfo: {
        InstanceType: "kafka.t3.small",
        StorageInfo: { EBSStorageInfo: { VolumeSize: 20 } },
      },
    };
    expect(standing("AWS::MSK::Cluster", cluster)).toBeCloseTo(3 * 730 * 0.0456 + 60 * 0.1 + 1.5 * 0.5, 9);
  });

  test("a broker whose price is not listed is no broker for nothing", () => {
    expect(() => brokerPrice("kafka.m9g.large")).toThrow(/has no price of kafka\.m9g\.large; add it/);
  });

  test("a type that is not known is said", () => {
    expect(unknownTypes([{ logicalId: "Bill", Type: "AWS::Braket::Device", Properties: {} }])).toEqual([
      "AWS::Braket::Device",
    ]);
  });
});

test("processors: as configured, until a load needs more", () => {
  const service = { vcpus: 0.5, memoryGb: 1, desiredCount: 2, spotShare: 0 };

  expect(processorScale([service, service], 0)).toBe(1);
  expect(processorScale([service, service], 16_000)).toBe(1);
  expect(processorScale([service, service], 160_000)).toBe(10);
});

describe("the tasks of a service", () => {
  let dev: readonly Template[];
  beforeAll(() => {
    dev = templatesOf("dev");
  });
  const shapeWith = (service: object, ...more: Resource[]) => {
    const others = resourcesIn(dev).filter(({ Type }) => !/^AWS::(ECS::Service|Application)/.test(Type));
    const task = others.find(({ Type }) => Type === "AWS::ECS::TaskDefinition")!;
    const Properties = { TaskDefinition: { Ref: task.logicalId }, ...service };
    return shapeOf([...others, { logicalId: "Service", Type: "AWS::ECS::Service", Properties }, ...more])
      .services[0]!;
  };
  const strategy = [
    { CapacityProvider: "FARGATE", Base: 1, Weight: 5 },
    { CapacityProvider: "FARGATE_SPOT", Weight: 5 },
  ];

  test("are those that it desires, or the fewest that its scaling leaves", () => {
    const Properties = { ResourceId: { "Fn::GetAtt": ["Service", "Name"] }, MinCapacity: 3 };
    const target = { logicalId: "Target", Type: "AWS::ApplicationAutoScaling::ScalableTarget", Properties };

    expect(shapeWith({ DesiredCount: 2 }).desiredCount).toBe(2);
    expect(shapeWith({}, target).desiredCount).toBe(3);
  });

  test.each([
    [1, 0],
    [2, 0.25],
    [5, 0.4],
  ])("of %i are on Spot, after the first: %f", (DesiredCount, share) => {
    expect(shapeWith({ DesiredCount, CapacityProviderStrategy: strategy }).spotShare).toBeCloseTo(share, 9);
    expect(shapeWith({ DesiredCount }).spotShare).toBe(0);
  });
});

describe("the environments", () => {
  let templates: ReadonlyMap<string, readonly Template[]>;
  let estimates: ReadonlyMap<string, readonly Estimate[]>;
  beforeAll(() => {
    templates = new Map(environmentNames.map((name) => [name, templatesOf(name)]));
    estimates = new Map([...templates].map(([name, of]) => [name, estimatesOf(name, of)]));
  });
  const usd = (name: string): readonly number[] => estimates.get(name)!.map((each) => each.usd);

  test("docs/costs.md is today's", async () => {
    await expect(costsPage([...estimates.values()])).toMatchFileSnapshot("../../../docs/costs.md");
  });

  test("hold no resource whose price is unknown", () => {
    for (const [, [idle]] of estimates) expect(idle!.unknownTypes).toEqual([]);
  });

  test("cost more the more there is to do, and prod most", () => {
    for (const name of environmentNames) expect(usd(name)).toEqual(usd(name).toSorted((a, b) => a - b));
    expect(usd("dev")[0]).toBeLessThan(usd("staging")[0]!);
    expect(usd("staging")[0]).toBeLessThan(usd("prod")[0]!);
  });

  test("are the sums of their lines, each at a listed price", () => {
    for (const { lines, usd: sum } of [...estimates.values()].flat()) {
      expect(total(lines)).toBe(sum);
      for (const { quantity, price, usd: each } of lines) expect(each).toBe(quantity * price.usd);
    }
  });

  test("at rest dev's figure is that of its parts, reckoned by hand", () => {
    const [idle] = estimates.get("dev")!;
    const of = (item: RegExp) => total(idle!.lines.filter((each) => item.test(each.item)));
    const services = resourcesIn(templates.get("dev")!).filter(({ Type }) => Type === "AWS::ECS::Service");

    expect(of(/kafka\.t3\.small/)).toBeCloseTo(99.864, 3);
    expect(of(/NAT|public address/)).toBeCloseTo(730 * (0.0042 + 0.005) + 8 * 0.08, 3);
    // Of five stages what they say at rest, and what the flow control does.
    expect(of(/own metrics/)).toBeCloseTo(0.3 * (5 * 8 + 5), 3);
    // One task each, on Spot: 30 % of the price.
    expect(of(/^tasks: /)).toBeCloseTo(services.length * 730 * 0.3 * (0.25 * 0.03238 + 0.00356), 3);
    expect(of(/shards|retention/)).toBeCloseTo(2 * 10.95, 3);
  });

  test("a load beyond what an environment is made for is said beside its sum", () => {
    const { expected } = environmentConfig("dev").ingest;
    const load = { ...expected, eventsPerSecond: 10 * expected.eventsPerSecond };
    const beyond = estimate("dev", templates.get("dev")!, load, expected.eventsPerSecond);

    expect(beyond.remarks).toEqual([
      "it is made for 1,000 events/s (ingest.expected)",
      expect.stringMatching(/^\d\.\d times the processors/),
      expect.stringMatching(/^its disks hold 1\.2 h of this, and topics keep 7 days$/),
    ]);
    expect(estimateText(beyond)).toContain("! it is made for 1,000 events/s");
  });

  test("half as many checkpoints are half as many PUTs", () => {
    const text = JSON.stringify(templates.get("prod"));
    const interval = '"SPILLWAY_CHECKPOINT_INTERVAL_MS","Value":"';
    const slower = JSON.parse(text.replaceAll(`${interval}1000"`, `${interval}2000"`)) as readonly Template[];
    const puts = (of: readonly Template[]) =>
      total(estimatesOf("prod", of, [1_000])[0]!.lines.filter(({ item }) => item === "checkpoints: PUTs"));

    expect(puts(templates.get("prod")!)).toBeGreaterThan(500);
    expect(puts(slower)).toBeCloseTo(puts(templates.get("prod")!) / 2, 6);
  });

  test("reads from replicas in other zones would be paid for, as writes are", () => {
    const text = JSON.stringify(templates.get("prod"));
    const leadersOnly = JSON.parse(text.replaceAll("SPILLWAY_ZONES", "NOTHING")) as readonly Template[];
    const crossing = (of: readonly Template[]) =>
      total(estimatesOf("prod", of, [10_000])[0]!.lines.filter(({ item }) => /across zones/.test(item)));

    // An event is read by 1.25 stages.
    expect(crossing(leadersOnly)).toBeCloseTo(2.25 * crossing(templates.get("prod")!), 6);
  });

  test("an alarm more is ten cents more", () => {
    const alarm = { Type: "AWS::CloudWatch::Alarm", Properties: {} };
    const more = [...templates.get("dev")!, { Resources: { Alarm: alarm } }];

    expect(estimatesOf("dev", more)[0]!.usd - usd("dev")[0]!).toBeCloseTo(prices.alarmMetricMonth.usd, 9);
  });
});

test.each([["--env", "qa"], ["--events", "-1"], ["--events", "many"], ["--nonsense"]])(
  "%s %s is refused",
  (...args) => {
    expect(() => costOptions(args)).toThrow(UsageError);
  },
);

test("every environment and load, unless told one", () => {
  expect(costOptions([])).toMatchObject({ names: environmentNames, loads: LOADS, isDetailed: false });
  expect(costOptions(["--env", "prod", "--events", "5000"])).toMatchObject({
    names: ["prod"],
    loads: [5_000],
  });
});

const templatesOf = (name: string): readonly Template[] =>
  Object.values(synthesize({ config: environmentConfig(name) })).map(
    (template) => template.toJSON() as Template,
  );
