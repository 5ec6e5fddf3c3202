import { S3Client } from "@aws-sdk/client-s3";

const CONNECTION_TIMEOUT_MS = 1_000;
/** Checkpoint blobs are megabytes, so that one request may take longer than one to DynamoDB. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * An S3 client with bounded waiting. Region, credentials and endpoint come from the environment, as the SDK reads
 * them. An endpoint that is set there is an emulator on an address without names, so the bucket goes into the path.
 */
export function createS3Client(): S3Client {
  return new S3Client({
    forcePathStyle:
      process.env.AWS_ENDPOINT_URL_S3 !== undefined || process.env.AWS_ENDPOINT_URL !== undefined,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  });
}
