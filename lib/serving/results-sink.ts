import { Duration } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { EventSourceMapping, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { environmentVariables, type ResultNames, sinkConsumerGroup } from "../../contracts/environment.ts";
import { formatServedSeries } from "../../contracts/served-series.ts";
import { SINK_STAGE } from "../../contracts/signals.ts";
import { DEAD_LETTERS_TOPIC, resultsTopic, topics } from "../../contracts/topics.ts";
import { acknowledgeAnyResource } from "../acknowledge.ts";
import { grantSignals } from "../control/signals-access.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import { type DeployedPipeline, seriesOf, sourceTopicsOf } from "../processing/pipeline.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import type { Notices } from "./notices.ts";
import { servedSeriesOf } from "./served-series.ts";

export interface ResultsSinkProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly pipelines: readonly DeployedPipeline[];
  readonly table: Table;
  readonly signals: Table;
  /** Where new results are told. @default nowhere */
  readonly notices: Notices | undefined;
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** Moves each pipeline's results into the table; what the table refuses for its content goes to the dead letters. */
export class ResultsSink extends Construct {
  readonly #stack: SpillwayStack;
  readonly #sink: PlatformFunction;

  constructor(
    scope: SpillwayStack,
    id: string,
    { network, transport, pipelines, table, signals, notices, entry }: ResultsSinkProps,
  ) {
    super(scope, id);
    this.#stack = scope;
    this.#sink = new PlatformFunction(scope, "SinkFunction", {
      description: "Stores the highest version of each result",
      code: functionCode(entry),
      traced: true,
      size: scope.config.sink,
      network: { vpc: network.vpc, securityGroup: network.sink },
      environment: {
        [environmentVariables.environment]: scope.config.name,
        [environmentVariables.bootstrapServers]: transport.bootstrapServers,
        [environmentVariables.resultsTable]: table.tableName,
        [environmentVariables.signalsTable]: signals.tableName,
        [environmentVariables.batchRecords]: String(scope.config.sink.batchRecords),
        [environmentVariables.resultNames]: JSON.stringify(resultNames(pipelines)),
        [environmentVariables.servedSeries]: formatServedSeries(servedSeriesOf(pipelines)),
        ...(notices && {
          [environmentVariables.noticesBus]: notices.bus.eventBusName,
          [environmentVariables.noticesTable]: notices.table.tableName,
        }),
      },
    });
    notices?.bus.grantPutEventsTo(this.#sink.role);
    notices?.table.grant(this.#sink.role, "dynamodb:GetItem", "dynamodb:PutItem");
    table.grant(this.#sink.role, "dynamodb:PutItem");
    grantSignals(signals, this.#sink.role, [SINK_STAGE]);
    transport.access.connect(this.#sink.role);
    transport.access.write(this.#sink.role, [DEAD_LETTERS_TOPIC]);
    this.allowPolling(transport, pipelines);
    for (const series of seriesOf(pipelines)) this.mapTopic(series, transport.clusterArn);
  }

  private allowPolling({ access }: TransportStack, pipelines: readonly DeployedPipeline[]): void {
    const names = seriesOf(pipelines);
    const groups = names.map((name) => sinkConsumerGroup(this.#stack.config.name, name));
    access.consume(this.#sink.role, names.map(resultsTopic), groups);
    access.poll(this.#sink.role);
    // Lambda looks up the cluster's network with the function's role; EC2's Describe actions take no resource.
    acknowledgeAnyResource(this.#sink.role, "EC2's Describe actions take no resource.");
    this.#sink.role.addToPolicy(
      new PolicyStatement({
        actions: ["ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"],
        resources: ["*"],
      }),
    );
  }

  /** Has no on-failure destination: it would end retries after ten, and a result must never be skipped. */
  private mapTopic(series: string, clusterArn: string): void {
    const { batchRecords, batchWindowSeconds } = this.#stack.config.sink;
    const mapping = new EventSourceMapping(this, `Mapping-${series}`, {
      target: this.#sink.lambda,
      eventSourceArn: clusterArn,
      kafkaTopic: resultsTopic(series),
      kafkaConsumerGroupId: sinkConsumerGroup(this.#stack.config.name, series),
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: batchRecords,
      maxBatchingWindow: Duration.seconds(batchWindowSeconds),
    });
    // Lambda tries the role's permissions when the mapping is made.
    mapping.node.addDependency(this.#sink.role);
  }
}

function resultNames(pipelines: readonly DeployedPipeline[]): ResultNames {
  const ending = Object.keys(topics).map((topic): [string, string[]] => [
    topic,
    seriesOf(pipelines.filter((pipeline) => sourceTopicsOf(pipeline).includes(topic))),
  ]);
  return Object.fromEntries(ending.filter(([, names]) => names.length > 0));
}
