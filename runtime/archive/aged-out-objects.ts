/** The objects of batches that streams' mappings gave up (contracts/aged-out.ts), in S3. */
import {
  type _Object,
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from "@aws-sdk/client-s3";
import { agedOutPrefixes } from "../../contracts/aged-out.ts";
import { BucketUnavailableError } from "../errors.ts";

export interface AgedOutCount {
  readonly batches: number;
  /** When the first of those that were counted was filed, in milliseconds since the epoch; infinite where there is none. */
  readonly sinceMs: number;
}

/** All methods throw BucketUnavailableError where the bucket does not answer. */
export class AgedOutObjects {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  /** Keys of what was not sent again yet, after one of them; page by page. */
  async *keys(bucket: string, after?: string): AsyncGenerator<string, void> {
    for await (const { Key } of this.#objects(bucket, after)) yield Key!;
  }

  /** How much was not sent again yet; counting ends at `most`, as a listing has a thousand objects a request. */
  async count(bucket: string, most: number): Promise<AgedOutCount> {
    let batches = 0;
    let sinceMs = Number.POSITIVE_INFINITY;
    for await (const { LastModified } of this.#objects(bucket)) {
      batches += 1;
      sinceMs = Math.min(sinceMs, LastModified!.getTime());
      if (batches === most) break;
    }
    return { batches, sinceMs };
  }

  async *#objects(bucket: string, after?: string): AsyncGenerator<_Object, void> {
    const input = {
      Bucket: bucket,
      Prefix: agedOutPrefixes.filed,
      ...(after !== undefined && { StartAfter: after }),
    };
    const pages = paginateListObjectsV2({ client: this.#client }, input);
    try {
      for await (const { Contents = [] } of pages) yield* Contents;
    } catch (error) {
      throw unavailable(bucket, "list its objects", error);
    }
  }

  /** The object's text; undefined where it is not there any more. */
  async get(bucket: string, key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return await Body!.transformToString();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw unavailable(bucket, `give the object ${key}`, error);
    }
  }

  /** Puts it where it is not found again. What dies between leaves it in both places: then it is sent once more. */
  async moveAway(bucket: string, key: string, text: string): Promise<void> {
    const moved = `${agedOutPrefixes.redriven}${key}`;
    try {
      await this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: moved, Body: text }));
      await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    } catch (error) {
      throw unavailable(bucket, `move the object ${key}`, error);
    }
  }
}

const unavailable = (bucket: string, what: string, cause: unknown): BucketUnavailableError =>
  new BucketUnavailableError(
    `The bucket ${bucket} did not ${what}.`,
    "Redrive again: what was sent before is counted once. If it lasts, look at the bucket and the role.",
    cause,
  );
