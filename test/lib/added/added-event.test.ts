/**
 * A fork adds an event on a new topic to contracts/, and a pipeline of it to processors/pipelines/: the diff of the templates
 * has everything else that they need, with no other edit. The catalogue, the topics and the pipelines are what is mocked here.
 */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { pipelines } from "../../../processors/pipelines/all.ts";
import {
  allowed,
  allowedNames,
  dev,
  type Resource,
  resources,
  synthesize,
  type Templates,
  theResource,
} from "../synthesize.ts";

/** A partner that sends the new type, and no other. */
const door = {
  name: "partner",
  producerAccount: "111111111111",
  eventTypes: ["order.placed"],
  shards: 1,
  retentionHours: 24,
  function: dev.spillway.forward,
  batchRecords: 100,
} as const;

/** With every alarm and dashboard. */
const watched = { ...dev, watching: "all" } as const;

let before: Templates;
let after: Templates;
let withDoor: Templates;
beforeAll(async () => {
  before = synthesize({ config: watched });
  vi.doMock("../../../contracts/topics.ts", async (original) => {
    const { topics, ...others } = await original<typeof import("../../../contracts/topics.ts")>();
    const { orders } = await import("./order-placed.ts");
    return { ...others, topics: { ...topics, orders } };
  });
  vi.doMock("../../../contracts/events/catalogue.ts", async (original) => {
    const { catalogue, ...others } =
      await original<typeof import("../../../contracts/events/catalogue.ts")>();
    const { orderPlaced } = await import("./order-placed.ts");
    return { ...others, catalogue: [...catalogue, orderPlaced] };
  });
  vi.resetModules();
  const fork = await import("../synthesize.ts");
  const { orderTotals } = await import("./order-totals.ts");
  const all = [...pipelines, orderTotals];
  after = fork.synthesize({ pipelines: all, config: watched });
  const { validateEnvironment } = await import("../../../lib/config/environment.ts");
  withDoor = fork.synthesize({ pipelines: all, config: validateEnvironment({ ...dev, doors: [door] }) });
});

/** Resources of a type that were not there before. */
const added = (stack: Exclude<keyof Templates, "firewall">, type: string): readonly Resource[] => {
  const known = new Set(resources(before[stack], type).map(({ logicalId }) => logicalId));
  return resources(after[stack], type).filter(({ logicalId }) => !known.has(logicalId));
};

/** What a role may do to topics now that it might not do before. */
const allowedMore = (
  stack: Exclude<keyof Templates, "firewall">,
  role: string,
  verb: "ReadData" | "WriteData",
): readonly string[] => {
  const names = (templates: Templates) =>
    allowedNames(allowed(templates[stack], role), `kafka-cluster:${verb}`);
  const known = names(before);
  return [...new Set(names(after))].filter((name) => !known.includes(name));
};

test("nothing that was there goes, or is made anew", () => {
  for (const [stack, template] of Object.entries(before)) {
    const now = after[stack as keyof Templates]!.toJSON().Resources as Record<string, Resource>;
    for (const [id, { Type }] of Object.entries(template.toJSON().Resources as Record<string, Resource>)) {
      expect([stack, id, now[id]?.Type]).toEqual([stack, id, Type]);
    }
  }
});

test("transport: the event's topic, and those that the pipeline writes", () => {
  const topics = added("transport", "AWS::MSK::Topic").map(({ Properties }) => [
    Properties.TopicName,
    Properties.PartitionCount,
  ]);

  expect(topics).toEqual([
    ["orders", 3],
    ["order-totals.results", 3],
    ["order-totals.late", 3],
  ]);
});

describe("who may write to the topic, and read it", () => {
  test.each([
    ["ingestion", "IngestRole"],
    ["ingestion", "ForwardRole"],
    ["ingestion", "HighForwardRole"],
    ["deadLetters", "RedriveFunctionRole"],
  ] as const)("%s: %s writes to it", (stack, role) => {
    expect(allowedMore(stack, role, "WriteData")).toEqual(["orders"]);
  });

  test("processing: the pipeline's own tasks read it, and write their results and what is late", () => {
    const role = "Serviceordertotals";

    expect(allowedMore("processing", role, "ReadData")).toEqual(["orders"]);
    expect(allowedMore("processing", role, "WriteData").toSorted()).toEqual([
      "dead-letters",
      "order-totals.late",
      "order-totals.results",
    ]);
  });

  test("nobody else's tasks do", () => {
    for (const { logicalId } of resources(before.processing, "AWS::IAM::Role")) {
      expect(allowedMore("processing", logicalId, "ReadData")).toEqual([]);
    }
  });

  test("a Kinesis door that may bring the new type writes to its topic only", () => {
    expect(allowedNames(allowed(withDoor.ingestion, "Doorpartner"), "kafka-cluster:WriteData")).toEqual([
      "dead-letters",
      "orders",
    ]);
  });
});

test("processing: a service with its tasks, their log, their scaling by backlog and what rolls it back", () => {
  expect(added("processing", "AWS::ECS::Service")).toHaveLength(1);
  expect(added("processing", "AWS::ApplicationAutoScaling::ScalableTarget")).toMatchObject([
    { Properties: { MaxCapacity: 3 } },
  ]);
  const [task] = added("processing", "AWS::ECS::TaskDefinition");
  expect(task?.Properties.ContainerDefinitions[0].Environment).toContainEqual({
    Name: "SPILLWAY_PIPELINES",
    Value: "order-totals",
  });
  expect(added("processing", "AWS::Logs::LogGroup")).toHaveLength(1);
  expect(added("processing", "AWS::CloudWatch::Alarm").map(({ Properties }) => Properties.AlarmName)).toEqual(
    ["spillway-dev-scaling-order-totals-behind", "spillway-dev-scaling-order-totals-idle"],
  );
  const [service] = added("processing", "AWS::ECS::Service");
  expect(service?.Properties.DeploymentConfiguration.Alarms.AlarmNames).toContain(
    "spillway-dev-pipeline-order-totals-errors",
  );
});

test("serving: the sink reads the results, and knows which events end up in them", () => {
  expect(
    added("serving", "AWS::Lambda::EventSourceMapping").map(({ Properties }) => Properties.Topics),
  ).toEqual([["order-totals.results"]]);
  const [sink] = resources(after.serving, "AWS::Lambda::Function").filter(({ logicalId }) =>
    logicalId.startsWith("SinkFunction"),
  );
  const { SPILLWAY_RESULT_NAMES: names, SPILLWAY_SERVED_SERIES: series } =
    sink!.Properties.Environment.Variables;
  expect(JSON.parse(names)).toMatchObject({ orders: ["order-totals"] });
  expect(series).toContain("order-totals:private::3:");
});

describe("observability", () => {
  const names = (type: string): readonly string[] =>
    added("observability", type).map(({ Properties }) => Properties.AlarmName ?? Properties.DashboardName);

  test("an alarm of each kind that other pipelines have, by the new names, and one composite", () => {
    const kindsOf = (pipeline: string, topic: string) =>
      resources(after.observability, "AWS::CloudWatch::Alarm")
        .map(({ Properties }) => Properties.AlarmName as string)
        .filter((name) => new RegExp(`-(pipeline|sink)-${pipeline}[.-](?!rolling)`).test(name))
        .map((name) => name.replace(pipeline, "P").replace(`-${topic}-`, "-T-"));

    expect(kindsOf("order-totals", "orders")).toEqual(kindsOf("airport-delays", "flights"));
    expect(kindsOf("order-totals", "orders").length).toBeGreaterThanOrEqual(16);
    expect(names("AWS::CloudWatch::Alarm")).toHaveLength(kindsOf("order-totals", "orders").length);
    expect(names("AWS::CloudWatch::Alarm")).toContain("spillway-dev-pipeline-order-totals-orders-time-lag");
    expect(names("AWS::CloudWatch::CompositeAlarm")).toEqual(["spillway-dev-pipeline-order-totals-behind"]);
  });

  test("its dashboard, and its row on the platform's", () => {
    expect(names("AWS::CloudWatch::Dashboard")).toEqual(["spillway-dev-pipeline-order-totals"]);
    const [platform] = resources(after.observability, "AWS::CloudWatch::Dashboard").filter(
      ({ Properties }) => Properties.DashboardName === "spillway-dev-platform",
    );
    expect(JSON.stringify(platform!.Properties.DashboardBody)).toContain("order-totals");
  });
});

test("network and control are of no event: they do not change", () => {
  for (const stack of ["network", "control"] as const) {
    expect(after[stack].toJSON()).toEqual(before[stack].toJSON());
  }
  expect(theResource(after.transport, "AWS::MSK::Cluster")).toEqual(
    theResource(before.transport, "AWS::MSK::Cluster"),
  );
});
