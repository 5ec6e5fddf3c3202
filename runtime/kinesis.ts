import { KinesisClient } from "@aws-sdk/client-kinesis";

/** PutRecords takes at most 5 MiB; more than this and the next attempt is worth more. */
const REQUEST_TIMEOUT_MS = 3_000;

/**
 * A Kinesis client with bounded waiting, which does not try again: whoever writes knows its deadline, and which records
 * of a request are still missing. This client of the SDK speaks HTTP/2; its time for a request counts from the start, so
 * that it bounds connecting too. Region, credentials and endpoint come from the environment, as the SDK reads them.
 */
export function createKinesisClient(): KinesisClient {
  return new KinesisClient({ maxAttempts: 1, requestHandler: { requestTimeout: REQUEST_TIMEOUT_MS } });
}
