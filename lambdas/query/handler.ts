/**
 * GET /results/{pipeline}/{key}?from=&to=&limit=&next=: the results of one key, by window start.
 * - `from` (inclusive) and `to` (exclusive) bound the windows' start: RFC 3339, or milliseconds since the epoch.
 *   `to` defaults to now, `from` to one day before `to`; at most 366 days apart.
 * - `limit`: items of a page, 1 to 1,000, 100 by default. `next`: the token of the page before.
 * - A key that holds a slash cannot be asked for: API Gateway decodes and splits the path first.
 *
 * Answers 200 `{items: [{key, window: {start, end}, value, revision, version}], next?}`. A page may hold fewer items
 * than its limit and still have a `next`; the last page has none. A key without results has an empty list.
 * 404: unknown pipeline. 400: a parameter; both as problem details (RFC 9457) that name it in `field`.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment, requireEnvironmentList } from "../../runtime/environment.ts";
import { answerErrors } from "../../runtime/http-errors.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { readQuery } from "./request.ts";
import { readResults } from "./results.ts";

const telemetry = createTelemetry("query");
const pipelines = requireEnvironmentList(environmentVariables.pipelines);
const tableName = requireEnvironment(environmentVariables.resultsTable);
const client = createDynamoDBClient();

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(answerErrors(telemetry))
  .handler(async (event) => {
    telemetry.metrics.addMetric(metrics.query.queries, MetricUnit.Count, 1);
    const page = await readResults(client, tableName, readQuery(event, pipelines, Date.now()));
    telemetry.metrics.addMetric(metrics.query.itemsRead, MetricUnit.Count, page.items.length);
    return {
      statusCode: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(page),
    };
  });
