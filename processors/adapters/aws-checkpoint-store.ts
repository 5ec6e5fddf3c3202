/** Checkpoints in DynamoDB and S3: slots and small blobs in one table, larger blobs in a bucket. */
import {
  type AttributeValue,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from "@aws-sdk/client-s3";
import { BucketUnavailableError, TableUnavailableError } from "../../runtime/errors.ts";
import {
  type CheckpointStore,
  type Claim,
  FIRST_GENERATION,
  type Slot,
  SlotRefusedError,
  type TaskId,
} from "../engine/checkpoint/store.ts";

/**
 * The largest blob that goes into the table. A blob is written once and deleted once, and DynamoDB charges both by
 * size: 2 × 0.625 USD per million KB (on demand), against 5 USD per million S3 PUTs, whose deletion is free. The
 * two meet at 4 KB (us-east-1, prices of November 2024 and later). Below it the table is also the faster one; above
 * it the price decides, since a task goes on while its checkpoint is written.
 */
export const MAX_INLINE_BYTES = 4 * 1024;

/** Limits of BatchWriteItem and DeleteObjects. */
const MAX_ITEMS_PER_BATCH = 25;
const MAX_OBJECTS_PER_BATCH = 1_000;

export interface AwsCheckpointStoreOptions {
  /** Both clients must limit how long a request may take; the SDK does not by itself. */
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  /** Its partition key is the string `pk`, its sort key the string `sk`. */
  readonly table: string;
  readonly bucket: string;
}

type Item = Record<string, AttributeValue>;

/** A task's slot and its small blobs are one item collection, so that they can be listed. */
const slotKey = (task: TaskId): Item => ({ pk: { S: task }, sk: { S: "slot" } });

function blobKey(name: string): Item {
  const [folder, rest] = splitName(name);
  return { pk: { S: folder }, sk: { S: `${BLOB}${rest}` } };
}

const BLOB = "blob#";

/** Blobs of a task are called `environment/pipeline/partition/…`, those of savepoints `savepoints/environment/pipeline/…`. */
const FOLDER_SEGMENTS = 3;

function splitName(name: string): readonly [folder: string, rest: string] {
  const segments = name.split("/");
  return [segments.slice(0, FOLDER_SEGMENTS).join("/"), segments.slice(FOLDER_SEGMENTS).join("/")];
}

/**
 * Rejects with SlotRefusedError where the port says so, otherwise with TableUnavailableError or
 * BucketUnavailableError, after the SDK's own retries; every call may be repeated.
 */
export class AwsCheckpointStore implements CheckpointStore {
  readonly #options: AwsCheckpointStoreOptions;

  constructor(options: AwsCheckpointStoreOptions) {
    this.#options = options;
  }

  async claim(task: TaskId, owner: string): Promise<Claim> {
    const { dynamodb, table } = this.#options;
    // Not idempotent, and need not be: a retry after a lost answer only raises the epoch once more.
    const command = new UpdateItemCommand({
      TableName: table,
      Key: slotKey(task),
      UpdateExpression: "ADD #epoch :one SET #owner = :owner, #updatedAt = :now",
      ExpressionAttributeNames: { "#epoch": "epoch", "#owner": "owner", "#updatedAt": "updatedAt" },
      ExpressionAttributeValues: { ":one": { N: "1" }, ":owner": { S: owner }, ":now": now() },
      ReturnValues: "ALL_NEW",
    });
    const { Attributes } = await this.#table(`claim the task ${task}`, dynamodb.send(command));
    return claimOf(Attributes);
  }

  async read(task: TaskId): Promise<Claim> {
    const { dynamodb, table } = this.#options;
    const command = new GetItemCommand({ TableName: table, Key: slotKey(task), ConsistentRead: true });
    const { Item } = await this.#table(`read the slot of the task ${task}`, dynamodb.send(command));
    return claimOf(Item);
  }

  async register(task: TaskId, epoch: number, next: Slot): Promise<void> {
    const { dynamodb, table } = this.#options;
    const command = registration(table, task, epoch, next);
    const registered = dynamodb.send(command).catch((error: unknown) => {
      if (error instanceof ConditionalCheckFailedException) return error;
      throw error;
    });
    const outcome = await this.#table(`register the checkpoint ${next.id}`, registered);
    if (outcome instanceof ConditionalCheckFailedException) requireRegistered(outcome, task, epoch, next);
  }

  async reset(task: TaskId, generation: number): Promise<void> {
    const { dynamodb, table } = this.#options;
    const command = new UpdateItemCommand({
      TableName: table,
      Key: slotKey(task),
      UpdateExpression:
        "ADD #epoch :one SET #generation = :generation, #updatedAt = :now REMOVE #id, #parent",
      ConditionExpression: "attribute_not_exists(#generation) OR #generation <= :generation",
      ExpressionAttributeNames: {
        "#epoch": "epoch",
        "#generation": "generation",
        "#updatedAt": "updatedAt",
        "#id": "id",
        "#parent": "parent",
      },
      ExpressionAttributeValues: {
        ":one": { N: "1" },
        ":generation": { N: String(generation) },
        ":now": now(),
      },
    });
    await this.#table(`reset the task ${task} to generation ${generation}`, dynamodb.send(command));
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const { dynamodb, s3, table, bucket } = this.#options;
    if (bytes.length <= MAX_INLINE_BYTES) {
      const Item = { ...blobKey(name), bytes: { B: bytes } };
      const written = dynamodb.send(new PutItemCommand({ TableName: table, Item }));
      await this.#table(`write the blob ${name}`, written);
    } else {
      const written = s3.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: bytes }));
      await this.#bucket(`write the blob ${name}`, written);
    }
  }

  async get(name: string): Promise<Uint8Array | null> {
    const { dynamodb, table } = this.#options;
    const command = new GetItemCommand({ TableName: table, Key: blobKey(name), ConsistentRead: true });
    const { Item } = await this.#table(`read the blob ${name}`, dynamodb.send(command));
    return Item?.bytes?.B ?? this.#bucket(`read the blob ${name}`, this.#getObject(name));
  }

  async list(task: TaskId): Promise<readonly string[]> {
    const lists = await Promise.all([
      this.#table(`list the blobs of the task ${task}`, this.#listItems(task)),
      this.#bucket(`list the blobs of the task ${task}`, this.#listObjects(task)),
    ]);
    return lists.flat();
  }

  /** From both places: a name does not tell how large its blob was. */
  async delete(names: readonly string[]): Promise<void> {
    const tableBatches = chunks(names, MAX_ITEMS_PER_BATCH).map((batch) => this.#deleteItems(batch));
    const bucketBatches = chunks(names, MAX_OBJECTS_PER_BATCH).map((batch) => this.#deleteObjects(batch));
    await Promise.all([
      this.#table(`delete ${names.length} blobs`, Promise.all(tableBatches)),
      this.#bucket(`delete ${names.length} blobs`, Promise.all(bucketBatches)),
    ]);
  }

  async #getObject(name: string): Promise<Uint8Array | null> {
    const { s3, bucket } = this.#options;
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
      return (await Body?.transformToByteArray()) ?? null;
    } catch (error) {
      if (error instanceof NoSuchKey) return null;
      throw error;
    }
  }

  async #listItems(task: TaskId): Promise<string[]> {
    const { dynamodb, table } = this.#options;
    const query = {
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: "#pk = :task AND begins_with(#sk, :blob)",
      ProjectionExpression: "#sk",
      ExpressionAttributeNames: { "#pk": "pk", "#sk": "sk" },
      ExpressionAttributeValues: { ":task": { S: task }, ":blob": { S: BLOB } },
    };
    const names: string[] = [];
    for await (const { Items = [] } of paginateQuery({ client: dynamodb }, query)) {
      names.push(...Items.map(({ sk }) => `${task}/${sk!.S!.slice(BLOB.length)}`));
    }
    return names;
  }

  async #listObjects(task: TaskId): Promise<string[]> {
    const { s3, bucket } = this.#options;
    const names: string[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: s3 },
      { Bucket: bucket, Prefix: `${task}/` },
    )) {
      names.push(...Contents.map(({ Key }) => Key!));
    }
    return names;
  }

  async #deleteItems(names: readonly string[]): Promise<void> {
    const { dynamodb, table } = this.#options;
    let requests: WriteRequest[] = names.map((name) => ({ DeleteRequest: { Key: blobKey(name) } }));
    while (requests.length > 0) {
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: requests } });
      const left = (await dynamodb.send(command)).UnprocessedItems?.[table] ?? [];
      // Left over means throttled: a batch that gets nowhere is given up, what it leaves costs only storage.
      if (left.length === requests.length)
        throw new Error(`the table is throttled: ${left.length} not deleted`);
      requests = left;
    }
  }

  async #deleteObjects(names: readonly string[]): Promise<void> {
    const { s3, bucket } = this.#options;
    const Objects = names.map((Key) => ({ Key }));
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await s3.send(command);
    const [first] = Errors;
    if (first !== undefined) {
      throw new Error(
        `${Errors.length} not deleted, the first, ${first.Key}: ${first.Code} ${first.Message}`,
      );
    }
  }

  async #table<Result>(action: string, request: Promise<Result>): Promise<Result> {
    try {
      return await request;
    } catch (cause) {
      throw new TableUnavailableError(
        `DynamoDB did not ${action} (table ${this.#options.table}): ${(cause as Error).message}`,
        "It is tried again. If it stays, look at the table's throttling metrics and the service's role.",
        cause,
      );
    }
  }

  async #bucket<Result>(action: string, request: Promise<Result>): Promise<Result> {
    try {
      return await request;
    } catch (cause) {
      throw new BucketUnavailableError(
        `S3 did not ${action} (bucket ${this.#options.bucket}): ${(cause as Error).message}`,
        "It is tried again. If it stays, check that the bucket exists and the service's role may use it.",
        cause,
      );
    }
  }
}

function registration(table: string, task: TaskId, epoch: number, next: Slot): UpdateItemCommand {
  const follows = next.parent === null ? "attribute_not_exists(#id)" : "#id = :parent";
  return new UpdateItemCommand({
    TableName: table,
    Key: slotKey(task),
    UpdateExpression: "SET #id = :id, #parent = :parent, #updatedAt = :now",
    ConditionExpression: `#epoch = :epoch AND ${follows}`,
    ExpressionAttributeNames: {
      "#id": "id",
      "#parent": "parent",
      "#epoch": "epoch",
      "#updatedAt": "updatedAt",
    },
    ExpressionAttributeValues: {
      ":id": { S: next.id },
      ":parent": next.parent === null ? { NULL: true } : { S: next.parent },
      ":epoch": { N: String(epoch) },
      ":now": now(),
    },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
}

/** A refused registration that is found in the slot had taken effect before: its answer was lost. */
function requireRegistered(
  { Item }: ConditionalCheckFailedException,
  task: TaskId,
  epoch: number,
  next: Slot,
): void {
  const slot = slotOf(Item);
  const newestEpoch = epochOf(Item);
  if (newestEpoch === epoch && slot?.id === next.id && slot.parent === next.parent) return;
  throw new SlotRefusedError(
    `the task ${task} did not take ${next.id} after ${next.parent ?? "nothing"} from epoch ${epoch}: ` +
      `its newest epoch is ${newestEpoch} and its slot holds ${slot?.id ?? "nothing"}`,
  );
}

const now = (): AttributeValue => ({ S: new Date().toISOString() });

const claimOf = (item: Item | undefined): Claim => ({
  epoch: epochOf(item),
  slot: slotOf(item),
  generation: Number(item?.generation?.N ?? FIRST_GENERATION),
});

/** 0 where nobody has claimed the task. */
const epochOf = (item: Item | undefined): number => Number(item?.epoch?.N ?? 0);

const slotOf = (item: Item | undefined): Slot | null =>
  item?.id?.S === undefined ? null : { id: item.id.S, parent: item.parent?.S ?? null };

function chunks<Element>(elements: readonly Element[], size: number): Element[][] {
  return Array.from({ length: Math.ceil(elements.length / size) }, (_, index) =>
    elements.slice(index * size, (index + 1) * size),
  );
}
