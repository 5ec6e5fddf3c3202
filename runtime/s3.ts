import { S3Client } from "@aws-sdk/client-s3";

const CONNECTION_TIMEOUT_MS = 1_000;
/** Of silence, not of the whole request: a checkpoint may be any size, so that its transfer may take any time. */
const INACTIVITY_TIMEOUT_MS = 15_000;

/**
 * An S3 client with bounded waiting. Region, credentials and endpoint come from the environment, as the SDK reads
 * them. An endpoint that is set there is an emulator on an address without names, so the bucket goes into the path.
 */
export function createS3Client(): S3Client {
  return new S3Client({
    forcePathStyle:
      process.env.AWS_ENDPOINT_URL_S3 !== undefined || process.env.AWS_ENDPOINT_URL !== undefined,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: INACTIVITY_TIMEOUT_MS },
  });
}
