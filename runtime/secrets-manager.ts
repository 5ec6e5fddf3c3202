import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 3_000;

/** A Secrets Manager client with bounded waiting. Region, credentials and endpoint come from the environment. */
export function createSecretsManagerClient(): SecretsManagerClient {
  return new SecretsManagerClient({
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}
