import { KinesisClient } from "@aws-sdk/client-kinesis";

const CONNECTION_TIMEOUT_MS = 1_000;
/** PutRecords takes at most 5 MiB; more than this and the next attempt is worth more. */
const REQUEST_TIMEOUT_MS = 3_000;

/**
 * A Kinesis client with bounded waiting, which does not try again: whoever writes knows its deadline, and which records
 * of a request are still missing. Region, credentials and endpoint come from the environment, as the SDK reads them.
 */
export function createKinesisClient(): KinesisClient {
  return new KinesisClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK only warns, and goes on waiting.
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
    },
  });
}
