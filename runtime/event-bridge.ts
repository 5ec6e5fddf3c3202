import { EventBridgeClient } from "@aws-sdk/client-eventbridge";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * An EventBridge client with bounded waiting, which does not try again: whoever puts events knows its deadline, and
 * which of them are still missing. Region, credentials and endpoint come from the environment, as the SDK reads them.
 */
export function createEventBridgeClient(): EventBridgeClient {
  return new EventBridgeClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}
