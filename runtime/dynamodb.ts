import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * A DynamoDB client with bounded waiting: the SDK itself waits for an answer for ever. Region, credentials and
 * endpoint come from the environment, as the SDK reads them (AWS_ENDPOINT_URL_DYNAMODB on the local platform).
 */
export function createDynamoDBClient(): DynamoDBClient {
  return new DynamoDBClient({
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
