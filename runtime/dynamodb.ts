import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * As the SDK's logger that does nothing, but without `info`: to that it hands a copy of every request and every answer,
 * which it has walked through for secrets, and it makes none where there is no such method. It is about a tenth of the
 * processor time of reading a page of results.
 */
const silent = { trace() {}, debug() {}, warn() {}, error() {} } as Required<DynamoDBClientConfig>["logger"];

/**
 * A DynamoDB client with bounded waiting: the SDK itself waits for an answer for ever. Region, credentials and
 * endpoint come from the environment, as the SDK reads them (AWS_ENDPOINT_URL_DYNAMODB on the local platform).
 */
export function createDynamoDBClient(): DynamoDBClient {
  return new DynamoDBClient({
    logger: silent,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK only warns, and goes on waiting.
      throwOnRequestTimeout: true,
      // The time for a request ends with its answer's headers; this one is for a body that stops coming.
      socketTimeout: REQUEST_TIMEOUT_MS,
    },
  });
}
