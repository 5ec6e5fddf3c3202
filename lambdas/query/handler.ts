/**
 * GET /results/{pipeline}/{key}?from=&to=&limit=&next=: the results of one key, by window start. What is public has
 * GET /public/results/{pipeline}?key=&from=&to=&limit=&next= as well, at the CDN.
 * - `from` (inclusive) and `to` (exclusive) bound the windows' start: RFC 3339, or milliseconds since the epoch.
 *   `to` defaults to now, `from` to one day before `to`; at most 366 days apart.
 * - `limit`: items of a page, 1 to 1,000, 100 by default. `next`: the token of the page before.
 * - A key that holds a slash cannot be asked for in a path: API Gateway decodes and splits the path first.
 *
 * Answers 200 `{items: [{key, window: {start, end}, value, revision, version}], next?}`. A page may hold fewer items
 * than its limit and still have a `next`; the last page has none. A key without results has an empty list.
 * It has a strong ETag, and a Cache-Control that says how long it stays true (caching.ts). 304: the request's
 * If-None-Match names the ETag. 404: unknown pipeline. 400: a parameter; both as problem details (RFC 9457) that name
 * it in `field`, and that nobody caches.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import { isClosed, parseServedSeries } from "../../contracts/served-series.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { answerErrors } from "../../runtime/http-errors.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { cacheableAnswer, cacheControl } from "./caching.ts";
import { ProgressReader } from "./progress.ts";
import { readQuery } from "./request.ts";
import { readResults } from "./results.ts";

const telemetry = createTelemetry("query");
const served = parseServedSeries(requireEnvironment(environmentVariables.servedSeries));
const source = {
  client: createDynamoDBClient(),
  tableName: requireEnvironment(environmentVariables.resultsTable),
};
const progress = new ProgressReader(source);

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(answerErrors(telemetry))
  .handler(async (event) => {
    telemetry.metrics.addMetric(metrics.query.queries, MetricUnit.Count, 1);
    const nowMs = Date.now();
    const query = readQuery(event, served, nowMs);
    // Read before the results: what it says was stored must be in them.
    const closed = isClosed(query.series, await progress.of(query.series, query.key, nowMs), query.toMs);
    const page = await readResults(source, query, closed ? "strong" : "eventual");
    telemetry.metrics.addMetric(metrics.query.itemsRead, MetricUnit.Count, page.items.length);
    const control = cacheControl(query.series.access, closed);
    return cacheableAnswer(JSON.stringify(page), control, event.headers?.["if-none-match"]);
  });
