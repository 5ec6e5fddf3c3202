import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { resultsTable } from "../../contracts/results.ts";
import { formatServedSeries } from "../../contracts/served-series.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import { SignedApi } from "../http/signed-api.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { ResultsSink } from "./results-sink.ts";
import { servedSeriesOf } from "./served-series.ts";

export interface ServingStackProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly signals: Table;
  readonly pipelines: readonly DeployedPipeline[];
  /** Modules that export `handler`. */
  readonly sinkEntry: string;
  readonly queryEntry: string;
}

/** Results: from their topics into a table, and out of it by `GET /results/{pipeline}/{key}`. */
export class ServingStack extends SpillwayStack {
  constructor(scope: Construct, config: EnvironmentConfig, props: ServingStackProps) {
    super(scope, "Serving", config);
    const table = this.makeTable();
    new ResultsSink(this, "Sink", { ...props, table, entry: props.sinkEntry });
    const query = this.makeQuery(table, props);
    new SignedApi(this, "Results", {
      description: `Spillway (${config.name}): results out`,
      routes: [{ method: HttpMethod.GET, path: "/results/{pipeline}/{key}" }],
      handler: query,
      limits: config.query,
    });
  }

  private makeTable(): Table {
    return new Table(this, "ResultsTable", {
      partitionKey: { name: resultsTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: resultsTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: resultsTable.expiresAt,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: this.config.removalPolicy === "retain",
      removalPolicy: this.dataRemovalPolicy,
    });
  }

  private makeQuery(table: Table, { pipelines, queryEntry }: ServingStackProps): PlatformFunction {
    const query = new PlatformFunction(this, "Query", {
      description: "Reads results from their table",
      code: functionCode(queryEntry),
      size: this.config.query,
      environment: {
        [environmentVariables.environment]: this.config.name,
        [environmentVariables.resultsTable]: table.tableName,
        [environmentVariables.servedSeries]: formatServedSeries(servedSeriesOf(pipelines)),
      },
    });
    table.grant(query.role, "dynamodb:Query");
    return query;
  }
}
