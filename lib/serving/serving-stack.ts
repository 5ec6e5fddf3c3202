import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { FunctionUrlAuthType } from "aws-cdk-lib/aws-lambda";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { resultsTable } from "../../contracts/results.ts";
import { formatServedSeries, type ServedSeries } from "../../contracts/served-series.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import type { CdnConfig } from "../config/serving.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import { SignedApi } from "../http/signed-api.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { Cdn } from "./cdn.ts";
import { Notices } from "./notices.ts";
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
  readonly webhookEntry: string;
  /** Takes notices that could not be delivered in the end. */
  readonly deadLetters: Queue;
  /** In front of the CDN. @default none */
  readonly webAclArn?: string | undefined;
}

/**
 * Results: from their topics into a table, and out of it by `GET /results/{pipeline}/{key}` for callers who sign, and
 * by the CDN for everybody, where the environment has one and a pipeline declares its results public.
 */
export class ServingStack extends SpillwayStack {
  readonly #series: readonly ServedSeries[];
  readonly #table: Table;
  readonly #queryEntry: string;

  constructor(scope: Construct, config: EnvironmentConfig, props: ServingStackProps) {
    const { cdn } = config.serving;
    super(scope, "Serving", config, cdn?.firewall && { crossRegionReferences: true });
    this.#series = servedSeriesOf(props.pipelines);
    this.#queryEntry = props.queryEntry;
    this.#table = this.makeTable();
    const notices = this.#series.some(({ notify }) => notify)
      ? new Notices(this, "Notices", props)
      : undefined;
    new ResultsSink(this, "Sink", { ...props, table: this.#table, notices, entry: props.sinkEntry });
    const query = this.makeQuery("Query", "Reads results from their table", this.#series);
    this.#table.grant(query.role, "dynamodb:Query");
    new SignedApi(this, "Results", {
      description: `Spillway (${config.name}): results out`,
      routes: [{ method: HttpMethod.GET, path: "/results/{pipeline}/{key}" }],
      handler: query,
      limits: config.query,
    });
    if (cdn !== undefined) this.publish(cdn, props.webAclArn);
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

  private makeQuery(
    id: string,
    description: string,
    series: readonly ServedSeries[],
    reservedConcurrency?: number,
  ): PlatformFunction {
    return new PlatformFunction(this, id, {
      description,
      code: functionCode(this.#queryEntry),
      size: this.config.query,
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }),
      environment: {
        [environmentVariables.environment]: this.config.name,
        [environmentVariables.resultsTable]: this.#table.tableName,
        [environmentVariables.servedSeries]: formatServedSeries(series),
      },
    });
  }

  /** A function of its own, which is told of what is public, and may read nothing else. */
  private publish(cdn: CdnConfig, webAclArn: string | undefined): void {
    const series = this.#series.filter(({ access }) => access === "public");
    if (series.length === 0) return;
    const description = "Reads public results from their table";
    const query = this.makeQuery("PublicQuery", description, series, cdn.reservedConcurrency);
    query.role.addToPolicy(
      new PolicyStatement({
        actions: ["dynamodb:Query"],
        resources: [this.#table.tableArn],
        // Partition keys of results, and of how far they have come, begin with the series and a #.
        conditions: {
          "ForAllValues:StringLike": { "dynamodb:LeadingKeys": series.map(({ name }) => `${name}#*`) },
        },
      }),
    );
    const origin = query.lambda.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    new Cdn(this, "Cdn", { cdn, origin, webAclArn });
  }
}
