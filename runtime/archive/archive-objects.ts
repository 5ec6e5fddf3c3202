/** The bytes of the archive's entries: an object each, which is all of the entry, so that the index could be made again. */
import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { ArchivedBytes, ArchiveEntry } from "../../contracts/dead-letter-archive.ts";
import { BucketUnavailableError } from "../errors.ts";

/** The object's format; readers refuse another one. */
const FORMAT = 1;
/**
 * There is one of that name, or one is being written: by someone who files the same entry, and who is given it again
 * where that fails (Amazon S3, conditional writes).
 */
const TAKEN_STATUSES: readonly (number | undefined)[] = [409, 412];

interface StoredEntry {
  readonly format: number;
  readonly entry: ArchiveEntry;
  /** Base64; null where there is none. */
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export const objectKey = (id: string): string => `entries/${id}.json`;

export class ArchiveObjects {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /**
   * Stores an entry, unless there is one of that id: then it has the same bytes, which the id is made of.
   * @throws BucketUnavailableError where the bucket takes nothing
   */
  async put(entry: ArchiveEntry, bytes: ArchivedBytes): Promise<void> {
    const stored: StoredEntry = {
      format: FORMAT,
      entry,
      key: base64(bytes.key),
      value: base64(bytes.value),
      headers: bytes.headers.map(([name, value]) => [name, base64(value)!]),
    };
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: objectKey(entry.id),
      Body: JSON.stringify(stored),
      ContentType: "application/json",
      IfNoneMatch: "*",
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      if (isTaken(error)) return;
      throw unavailable(this.#bucket, "take an object", error);
    }
  }

  /**
   * The bytes of an entry; undefined where they have expired.
   * @throws BucketUnavailableError where the bucket does not answer, or its object is none of this format
   */
  async get(id: string): Promise<ArchivedBytes | undefined> {
    try {
      const { Body } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: objectKey(id) }),
      );
      return bytesOf(JSON.parse(await Body!.transformToString()) as StoredEntry);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw unavailable(this.#bucket, `give the object ${objectKey(id)}`, error);
    }
  }
}

function bytesOf({ format, key, value, headers }: StoredEntry): ArchivedBytes {
  if (format !== FORMAT) throw new Error(`The object's format is ${format}, not ${FORMAT}.`);
  return {
    key: bytes(key),
    value: bytes(value),
    headers: headers.map(([name, text]) => [name, Buffer.from(text, "base64")]),
  };
}

const isTaken = (error: unknown): boolean =>
  error instanceof S3ServiceException && TAKEN_STATUSES.includes(error.$metadata.httpStatusCode);

const unavailable = (bucket: string, what: string, cause: unknown): BucketUnavailableError =>
  new BucketUnavailableError(
    `The archive's bucket ${bucket} did not ${what}.`,
    "Nothing, if it passes: the same call is made again. If it lasts, look at the bucket and the role.",
    cause,
  );

const base64 = (value: Uint8Array | null): string | null =>
  value && Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");

const bytes = (text: string | null): Uint8Array | null =>
  text === null ? null : Buffer.from(text, "base64");
