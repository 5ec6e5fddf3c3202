import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { transactionalId } from "../../../contracts/environment.ts";
import { MixedPrioritiesError, priorityOf } from "../../../lib/processing/pipeline.ts";
import { toTrace } from "../observability/to-trace.ts";
import { allowed, allowedNames, dev, resources, synthesize, theResource } from "../synthesize.ts";

const delays = {
  name: "delays",
  service: "flights",
  inputs: [{ topic: "flights" }],
  operators: [{ series: "delays" }],
};
const routes = {
  name: "routes",
  service: "flights",
  inputs: [{ topic: "flights" }],
  operators: [{ series: "routes" }],
};
const fraud = {
  name: "fraud",
  service: "fraud",
  inputs: [{ topic: "user-activity" }],
  operators: [{ series: "fraud" }],
};

describe("processing", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize({ pipelines: [delays, routes, fraud] }).processing;
  });

  test("runs a service for each name that the pipelines give", () => {
    const pipelines = resources(template, "AWS::ECS::TaskDefinition").map(({ Properties }) =>
      Properties.ContainerDefinitions[0].Environment.find(
        ({ Name }: { Name: string }) => Name === "SPILLWAY_PIPELINES",
      ),
    );

    expect(pipelines.map(({ Value }) => Value)).toEqual(["delays,routes", "fraud"]);
    template.resourceCountIs("AWS::ECS::Service", 2);
  });

  test("a service whose pipelines have different priorities is refused", () => {
    const activity = { ...routes, inputs: [{ topic: "user-activity" }] };
    const make = () => synthesize({ pipelines: [delays, activity] });

    expect(make).toThrow(MixedPrioritiesError);
    expect(make).toThrow(
      "The service flights runs pipelines of different priorities: delays (normal), routes (high)",
    );
  });

  test("a pipeline has the priority of what its first stage reads, and no table's", () => {
    const activity = { ...routes, inputs: [{ topic: "user-activity" }] };
    const inputs = [{ topic: "x.forwarded", role: "forwarded" as const }];

    expect(priorityOf({ ...activity, inputs, upstream: [activity] })).toBe("high");
    const table = { topic: "user-activity", role: "table" as const };
    expect(priorityOf({ ...delays, inputs: [...delays.inputs, table] })).toBe("normal");
    expect(priorityOf({ ...delays, inputs: [table] })).toBeUndefined();
  });

  test("a service's processes are told where the services are that its pipelines ask, and no others", () => {
    const asking = { ...fraud, inputs: [{ topic: "user-activity", enrich: { service: "geolocation" } }] };
    const { processing } = synthesize({ pipelines: [delays, asking] });
    const urls = resources(processing, "AWS::ECS::TaskDefinition").map(({ Properties }) =>
      Properties.ContainerDefinitions[0].Environment.filter(({ Name }: { Name: string }) =>
        Name.endsWith("_URL"),
      ),
    );

    expect(urls).toEqual([
      [],
      [{ Name: "SPILLWAY_GEOLOCATION_URL", Value: expect.stringMatching(/^https:/) }],
    ]);
  });

  test("tasks are ARM64, read-only, and have two minutes for their last checkpoint", () => {
    const [{ Properties } = { Properties: undefined }] = resources(template, "AWS::ECS::TaskDefinition");
    const [container] = Properties.ContainerDefinitions;
    const stopTimeoutMs = container.Environment.find(
      ({ Name }: { Name: string }) => Name === "SPILLWAY_STOP_TIMEOUT_MS",
    );

    expect(Properties.RuntimePlatform).toEqual({ CpuArchitecture: "ARM64", OperatingSystemFamily: "LINUX" });
    expect(container).toMatchObject({ StopTimeout: 120, ReadonlyRootFilesystem: true });
    expect(container.HealthCheck).toBeDefined();
    expect(Number(stopTimeoutMs.Value)).toBeLessThan(120_000);
  });

  test("tasks are told the ids of the zones that they may be in, which MSK calls its racks", () => {
    const [task] = resources(template, "AWS::ECS::TaskDefinition");
    const variables = task?.Properties.ContainerDefinitions[0].Environment;
    const zones = variables.find(({ Name }: { Name: string }) => Name === "SPILLWAY_ZONES").Value;

    const pairs = [0, 1, 2].flatMap((zone) => [
      { "Fn::Select": [zone, { "Fn::GetAZs": "" }] },
      { "Fn::ImportValue": expect.stringMatching(/privateSubnet\dSubnet.*AvailabilityZoneId/) },
    ]);
    const [a, aId, b, bId, c, cId] = pairs;
    expect(zones).toEqual({ "Fn::Join": ["", [a, "=", aId, ",", b, "=", bId, ",", c, "=", cId]] });
  });

  test("tasks make checkpoints as often as the environment says", () => {
    const processors = { ...dev.processors, checkpointIntervalMs: 2_500 };
    const { processing } = synthesize({ config: { ...dev, processors } });
    const [task] = resources(processing, "AWS::ECS::TaskDefinition");

    expect(task?.Properties.ContainerDefinitions[0].Environment).toContainEqual({
      Name: "SPILLWAY_CHECKPOINT_INTERVAL_MS",
      Value: "2500",
    });
  });

  test("a deployment that does not come up rolls back", () => {
    for (const { Properties } of resources(template, "AWS::ECS::Service")) {
      expect(Properties.DeploymentConfiguration).toMatchObject({
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        MinimumHealthyPercent: 100,
      });
      expect(Properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp).toBe("DISABLED");
    }
  });

  test("a service starts only after its role may use Kafka", () => {
    for (const { DependsOn } of resources(template, "AWS::ECS::Service")) {
      expect(DependsOn).toContainEqual(expect.stringMatching(/TaskRoleDefaultPolicy/));
    }
  });

  test("a task may read its inputs, as its groups, and write its own topics", () => {
    const statements = allowed(template, "ServiceflightsTaskTaskRole");

    expect(allowedNames(statements, "kafka-cluster:ReadData")).toEqual(["flights"]);
    expect(allowedNames(statements, "kafka-cluster:AlterGroup")).toEqual(["dev-delays", "dev-routes"]);
    expect(new Set(allowedNames(statements, "kafka-cluster:WriteData"))).toEqual(
      new Set(["dead-letters", "delays.late", "delays.results", "routes.late", "routes.results"]),
    );
  });

  test("a task may run every stage of its pipelines: each has its group, its ids and the topic between them", () => {
    const byUser = {
      ...delays,
      name: "delays.by-user",
      forwards: { topic: "delays.by-user.forwarded", partitions: 12 },
    };
    const rekeyed = { ...delays, inputs: [{ topic: "delays.by-user.forwarded" }], upstream: [byUser] };
    const stages = synthesize({ pipelines: [rekeyed] }).processing;
    const statements = allowed(stages, "ServiceflightsTaskTaskRole");

    expect(allowedNames(statements, "kafka-cluster:ReadData")).toEqual([
      "delays.by-user.forwarded",
      "flights",
    ]);
    expect(allowedNames(statements, "kafka-cluster:AlterGroup")).toEqual([
      "dev-delays",
      "dev-delays.by-user",
    ]);
    expect(new Set(allowedNames(statements, "kafka-cluster:WriteData"))).toEqual(
      new Set([
        "dead-letters",
        "delays.by-user.forwarded",
        "delays.by-user.late",
        "delays.late",
        "delays.results",
      ]),
    );
    expect(allowedNames(statements, "kafka-cluster:AlterTransactionalId")).toEqual([
      "dev-delays-?",
      "dev-delays-??",
      "dev-delays.by-user-?",
    ]);
  });

  test("a task may use its own transactional ids, also next to a pipeline whose name starts alike", () => {
    const statements = allowed(template, "ServiceflightsTaskTaskRole");
    const patterns = allowedNames(statements, "kafka-cluster:AlterTransactionalId");

    expect(patterns).toEqual(["dev-delays-?", "dev-routes-?"]);
    const matches = (id: string) => new RegExp(`^${patterns[0]?.replaceAll("?", ".")}$`).test(id);
    expect(matches(transactionalId("dev", "delays", 3))).toBe(true);
    expect(matches(transactionalId("dev", "delays-by-hour", 3))).toBe(false);
  });

  test("no task may do anything on every resource but write spans", () => {
    for (const role of ["ServiceflightsTaskTaskRole", "ServicefraudTaskTaskRole"]) {
      const everywhere = allowed(template, role).filter(({ resources }) => resources.includes('"*"'));
      expect(everywhere.flatMap(({ actions }) => actions)).toEqual(toTrace);
    }
  });

  test("checkpoints are private, encrypted, and kept once", () => {
    const { Properties } = theResource(template, "AWS::S3::Bucket");

    expect(Properties.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(Properties.BucketEncryption).toBeDefined();
    expect(Properties.VersioningConfiguration).toBeUndefined();
    expect(Properties.LifecycleConfiguration).toBeUndefined();
    const policy = theResource(template, "AWS::S3::BucketPolicy").Properties.PolicyDocument;
    expect(policy.Statement).toContainEqual(
      expect.objectContaining({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    );
  });

  test("a task writes and deletes what is its environment's, and only reads savepoints", () => {
    const statements = allowed(template, "ServiceflightsTaskTaskRole");

    expect(allowedNames(statements, "s3:PutObject")).toEqual(["dev/*"]);
    expect(allowedNames(statements, "s3:DeleteObject")).toEqual(["dev/*"]);
    expect(allowedNames(statements, "s3:GetObject")).toEqual(["dev/*", "savepoints/dev/*"]);
  });

  test("a missing checkpoint is told from a denied one, which S3 does only for those who may list", () => {
    const actions = allowed(template, "ServiceflightsTaskTaskRole").flatMap((statement) => statement.actions);

    expect(actions).toContain("s3:ListBucket");
  });

  test("the table of checkpoints has the key that its definition names", () => {
    const { Properties } = theResource(template, "AWS::DynamoDB::Table");

    expect(Properties).toMatchObject({
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      BillingMode: "PAY_PER_REQUEST",
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    expect(Properties.TimeToLiveSpecification).toBeUndefined();
  });
});
