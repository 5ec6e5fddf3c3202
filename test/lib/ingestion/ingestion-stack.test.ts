import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { DEAD_LETTERS_TOPIC, type TopicName, topics } from "../../../contracts/topics.ts";
import { toTrace } from "../observability/to-trace.ts";
import { allowed, allowedNames, dev, resources, synthesize, theResource } from "../synthesize.ts";

const functionOf = (template: Template, name: string) =>
  resources(template, "AWS::Lambda::Function").find(({ logicalId }) => logicalId.startsWith(name))!;

describe("ingestion", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize().ingestion;
  });

  /** The only resource of a type that a spillway has. */
  const partOf = (spillway: string, type: string, of = template) => {
    const parts = resources(of, type).filter(({ logicalId }) => logicalId.startsWith(spillway));
    expect(parts).toHaveLength(1);
    return parts[0]!;
  };

  test("events go in and backpressure comes out by signed requests only, and there is no other route", () => {
    const routes = resources(template, "AWS::ApiGatewayV2::Route").map(({ Properties }) => Properties);

    expect(routes.map(({ RouteKey }) => RouteKey).toSorted()).toEqual(["GET /backpressure", "POST /events"]);
    for (const { AuthorizationType } of routes) expect(AuthorizationType).toBe("AWS_IAM");
  });

  test("where an environment has an issuer of tokens, its tokens are what a caller needs, and their limits are known", () => {
    const subjectLimits = [{ subject: "airline", eventsPerSecond: 5_000 }];
    const tokens = { issuer: "https://issuer.example", audience: ["spillway"] };
    const auth = { kind: "jwt", ...tokens, subjectLimits } as const;
    const withJwt = synthesize({ config: { ...dev, ingest: { ...dev.ingest, auth } } }).ingestion;

    for (const { Properties } of resources(withJwt, "AWS::ApiGatewayV2::Route")) {
      expect(Properties).toMatchObject({ AuthorizationType: "JWT" });
    }
    expect(theResource(withJwt, "AWS::ApiGatewayV2::Authorizer").Properties.JwtConfiguration).toEqual({
      Issuer: "https://issuer.example",
      Audience: ["spillway"],
    });
    const { Variables } = functionOf(withJwt, "Ingest").Properties.Environment;
    expect(JSON.parse(Variables.SPILLWAY_SUBJECT_LIMITS)).toEqual(subjectLimits);
  });

  test("where an environment names its producers, the function knows them", () => {
    const producers = [
      { principal: "arn:aws:iam::111111111111:role/airline", eventTypes: ["flight.departed"] },
    ];
    const auth = { kind: "iam", producers } as const;
    const named = synthesize({ config: { ...dev, ingest: { ...dev.ingest, auth } } }).ingestion;
    const { Variables } = functionOf(named, "Ingest").Properties.Environment;

    expect(JSON.parse(Variables.SPILLWAY_PRODUCERS)).toEqual(producers);
  });

  test("thresholds of shedding are handed to every function that takes events in or moves them", () => {
    const shedding = { spillLow: 0.5, refuseLow: 0.6, refuseNormal: 0.7 };
    const door = {
      name: "partner",
      producerAccount: "111111111111",
      eventTypes: ["flight.departed"],
      shards: 1,
      retentionHours: 72,
      function: dev.spillway.forward,
      batchRecords: 100,
    } as const;
    const sheds = synthesize({
      config: { ...dev, doors: [door], ingest: { ...dev.ingest, shedding } },
    }).ingestion;

    for (const name of ["Ingest", "Forward", "HighForward", "Doorpartner"]) {
      const { Variables } = functionOf(sheds, name).Properties.Environment;
      expect(JSON.parse(Variables.SPILLWAY_SHEDDING)).toEqual(shedding);
    }
  });

  test("the function knows how much a producer may send, by default all that it is made for, and its share", () => {
    const { producerEventsPerSecond: _, ...ingest } = dev.ingest;
    const limitsOf = (of: Template) => {
      const { Variables } = functionOf(of, "Ingest").Properties.Environment;
      return [Variables.SPILLWAY_PRODUCER_EVENTS_PER_SECOND, Variables.SPILLWAY_EXPECTED_ENVIRONMENTS];
    };

    expect(limitsOf(synthesize({ config: { ...dev, ingest } }).ingestion)).toEqual(["1000", "4"]);
    const limited = { ...ingest, producerEventsPerSecond: 50 };
    expect(limitsOf(synthesize({ config: { ...dev, ingest: limited } }).ingestion)).toEqual(["50", "4"]);
  });

  test("the function gets payloads of format 2.0", () => {
    const { Properties } = theResource(template, "AWS::ApiGatewayV2::Integration");

    expect(Properties).toMatchObject({ IntegrationType: "AWS_PROXY", PayloadFormatVersion: "2.0" });
  });

  test("the function answers before API Gateway gives up on it, at 30 s", () => {
    const { Properties } = functionOf(template, "Ingest");

    expect(Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
    });
    expect(Properties.Timeout).toBeLessThan(30);
    expect(Properties.VpcConfig.SecurityGroupIds).toHaveLength(1);
    expect(Object.keys(Properties.Environment.Variables)).toEqual([
      "SPILLWAY_ENVIRONMENT",
      "SPILLWAY_BOOTSTRAP_SERVERS",
      "SPILLWAY_STREAM",
      "SPILLWAY_HIGH_STREAM",
      "SPILLWAY_SIGNALS_TABLE",
      "SPILLWAY_CONNECT_WINDOW_MS",
      "SPILLWAY_PRODUCER_EVENTS_PER_SECOND",
      "SPILLWAY_EXPECTED_ENVIRONMENTS",
      "SPILLWAY_TRACE_SAMPLE_RATE",
      "SPILLWAY_OTLP_ENDPOINT",
    ]);
    // 20 environments at most, on brokers that admit 4 new connections a second.
    expect(Properties.Environment.Variables.SPILLWAY_CONNECT_WINDOW_MS).toBe("5000");
  });

  test("the function may write the catalogue's topics, and read none", () => {
    const statements = allowed(template, "IngestRole");
    const kafkaActions = statements.flatMap(({ actions }) =>
      actions.filter((action) => action.startsWith("kafka")),
    );

    expect(allowedNames(statements, "kafka-cluster:WriteData")).toEqual(Object.keys(topics).toSorted());
    expect(kafkaActions.toSorted()).toEqual([
      "kafka-cluster:Connect",
      "kafka-cluster:DescribeTopic",
      "kafka-cluster:WriteData",
    ]);
  });

  test("nothing but network interfaces and to write spans is allowed on every resource", () => {
    const everywhere = allowed(template, "IngestRole").filter(({ resources }) => resources.includes('"*"'));

    expect(
      everywhere.flatMap(({ actions }) => actions).filter((action) => !action.startsWith("ec2:")),
    ).toEqual(toTrace);
  });

  test("the function may put records on the spillway and read none, and read and write signals", () => {
    const actions = allowed(template, "IngestRole").flatMap(({ actions }) => actions);

    expect(actions.filter((action) => /^(kinesis|dynamodb):/.test(action)).toSorted()).toEqual([
      "dynamodb:PutItem",
      "dynamodb:Scan",
      "kinesis:PutRecords",
    ]);
  });

  test("a spillway is drained without end, and gives whole records up only shortly before it forgets them", () => {
    for (const [spillway, mapping] of [
      ["Spillway", "forward"],
      ["HighSpillway", "forward-high"],
    ] as const) {
      const { Properties } = partOf(spillway, "AWS::Lambda::EventSourceMapping");
      const stream = partOf(spillway, "AWS::Kinesis::Stream");

      expect(Properties).toMatchObject({
        EventSourceArn: { "Fn::GetAtt": [stream.logicalId, "Arn"] },
        MaximumRetryAttempts: -1,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      });
      expect(JSON.stringify(Properties.DestinationConfig)).toContain(`AgedOut${mapping.replaceAll("-", "")}`);
      const { RetentionPeriodHours, StreamEncryption } = stream.Properties;
      expect(RetentionPeriodHours).toBe(24);
      expect(Properties.MaximumRecordAgeInSeconds).toBe(12 * 3_600);
      expect(StreamEncryption).toMatchObject({ EncryptionType: "KMS" });
      // A deployment must not resume what is paused.
      expect(Properties.Enabled).toBeUndefined();
    }
    template.resourceCountIs("AWS::Kinesis::Stream", 2);
  });

  test("of streams that are kept for days, a day before", () => {
    const week = { ...dev, spillway: { ...dev.spillway, retentionHours: 168 } };
    const mappings = resources(synthesize({ config: week }).ingestion, "AWS::Lambda::EventSourceMapping");

    expect(mappings.map(({ Properties }) => Properties.MaximumRecordAgeInSeconds)).toEqual([
      144 * 3_600,
      144 * 3_600,
    ]);
  });

  test("each stream has its own size, and the function knows which is which", () => {
    const config = { ...dev, spillway: { ...dev.spillway, shards: 3, highShards: 2 } };
    const sized = synthesize({ config }).ingestion;
    const { Variables } = functionOf(sized, "Ingest").Properties.Environment;

    for (const [spillway, shards, variable] of [
      ["Spillway", 3, "SPILLWAY_STREAM"],
      ["HighSpillway", 2, "SPILLWAY_HIGH_STREAM"],
    ] as const) {
      const { logicalId, Properties } = partOf(spillway, "AWS::Kinesis::Stream", sized);
      expect(Properties.ShardCount).toBe(shards);
      expect(Variables[variable]).toEqual({ Ref: logicalId });
    }
  });

  test.each(["Forward", "HighForward"])(
    "the function %s may write events and dead letters, and reads its stream only",
    (name) => {
      const statements = allowed(template, `${name}Role`);
      const spillway = name === "Forward" ? "Spillway" : "HighSpillway";
      const { logicalId } = partOf(spillway, "AWS::Kinesis::Stream");
      const onStreams = statements.filter(({ actions }) =>
        actions.some((action) => action.startsWith("kinesis:")),
      );

      expect(allowedNames(statements, "kafka-cluster:WriteData")).toEqual(
        [...Object.keys(topics), DEAD_LETTERS_TOPIC].toSorted(),
      );
      expect(onStreams.flatMap(({ resources }) => resources)).toEqual([
        JSON.stringify({ "Fn::GetAtt": [logicalId, "Arn"] }),
      ]);
      expect(statements.flatMap(({ actions }) => actions)).not.toContain("kinesis:PutRecords");
      expect(functionOf(template, name).Properties.Timeout).toBeGreaterThan(30);
    },
  );

  test("the flow control looks at and changes the spillway's mappings, and no other, and may invoke nothing", () => {
    const statements = allowed(template, "FlowControlFunctionRole");
    const mappings = resources(template, "AWS::Lambda::EventSourceMapping");
    const onMappings = statements.filter(({ actions }) =>
      actions.some((action) => action.startsWith("lambda:")),
    );

    expect(onMappings).toEqual([
      {
        actions: ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
        resources: mappings
          .map(({ logicalId }) => JSON.stringify({ "Fn::GetAtt": [logicalId, "EventSourceMappingArn"] }))
          .toSorted(),
      },
    ]);
    expect(statements.flatMap(({ resources }) => resources)).not.toContain('"*"');
  });

  test("the flow control runs every minute, once at a time, in no VPC, and a run that failed is not repeated", () => {
    const { logicalId, Properties } = functionOf(template, "FlowControl");
    const rule = theResource(template, "AWS::Events::Rule").Properties;

    expect(rule).toMatchObject({
      ScheduleExpression: "rate(1 minute)",
      Targets: [{ Arn: { "Fn::GetAtt": [logicalId, "Arn"] }, RetryPolicy: { MaximumRetryAttempts: 0 } }],
    });
    expect(Properties).toMatchObject({ ReservedConcurrentExecutions: 1, Timeout: 30 });
    expect(Properties.VpcConfig).toBeUndefined();
    expect(theResource(template, "AWS::Lambda::EventInvokeConfig").Properties.MaximumRetryAttempts).toBe(0);
  });

  test("the flow control knows the mappings, what pauses them, and after how long they give a record up", () => {
    const { Properties } = functionOf(template, "FlowControl");
    const [others, high] = ["Spillway", "HighSpillway"].map((spillway) =>
      partOf(spillway, "AWS::Lambda::EventSourceMapping"),
    );
    const [, parts] = Properties.Environment.Variables.SPILLWAY_CONTROLLED_MAPPINGS["Fn::Join"];

    const hours = others!.Properties.MaximumRecordAgeInSeconds / 3_600;
    const shed = Object.keys(topics).filter((name) => topics[name as TopicName].priority !== "high");
    expect(parts).toEqual([
      "forward:",
      { Ref: others!.logicalId },
      `:${hours}:${shed.join("+")},forward-high:`,
      { Ref: high!.logicalId },
      // No load pauses it.
      `:${hours}:`,
    ]);
  });

  test("the forward function reads the control table, and writes nothing there", () => {
    const actions = allowed(template, "ForwardRole").flatMap(({ actions, resources }) =>
      resources.some((resource) => resource.includes("ControlTable")) ? actions : [],
    );

    expect(actions).toEqual(["dynamodb:GetItem"]);
  });

  test("calls are logged, and throttled", () => {
    const { Properties } = theResource(template, "AWS::ApiGatewayV2::Stage");

    expect(Properties.AccessLogSettings.DestinationArn).toBeDefined();
    expect(Properties.DefaultRouteSettings.ThrottlingRateLimit).toBeGreaterThan(0);
  });
});
