/**
 * Checkpoints of one task, each step by itself: `node checkpoint-child.ts <CheckpointOptions as JSON>`. Writes to the
 * emulators of DynamoDB and S3 that its environment names, and commits in Kafka, as a processor does.
 */

import { environmentVariables } from "../../contracts/environment.ts";
import { AwsCheckpointStore } from "../../processors/adapters/aws-checkpoint-store.ts";
import { KafkaLog } from "../../processors/adapters/kafka-log.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createS3Client } from "../../runtime/s3.ts";
import { pipelineOf } from "../streams/pipelines.ts";
import { rowsHeld } from "./cases.ts";
import { keepingLargeBlobs } from "./large-blobs.ts";
import { type Spent, spentOn, TaskAtWork } from "./task-at-work.ts";

export interface CheckpointOptions {
  readonly rows: number;
  /** Rows that change between two checkpoints. */
  readonly dirty: number;
  readonly checkpoints: number;
}

export interface CheckpointFigures {
  readonly kind: "base" | "delta";
  readonly bytes: number;
  /** The cut, which encodes what changed, in the thread of the events. */
  readonly cut: Spent;
  /** Hashes, blobs and manifest. */
  readonly write: Spent;
  readonly register: Spent;
  readonly commit: Spent;
  /** What a compaction took that was due after it. */
  readonly compact: Spent;
}

export interface CheckpointOutcome {
  readonly checkpoints: readonly CheckpointFigures[];
  /** Reading all back, as a recovery does. */
  readonly load: Spent;
}

const { rows, dirty, checkpoints } = JSON.parse(process.argv[2]!) as CheckpointOptions;
const windowCase = rowsHeld(rows);
const { stream } = windowCase;
const id = `bench/checkpoints-${rows}-${dirty}/0`;
const log = new KafkaLog({
  bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
  clientId: "bench",
});
const store = keepingLargeBlobs(
  new AwsCheckpointStore({
    dynamodb: createDynamoDBClient(),
    s3: createS3Client(),
    table: requireEnvironment(environmentVariables.checkpointTable),
    bucket: requireEnvironment(environmentVariables.checkpointBucket),
  }),
);
const task = new TaskAtWork({ definition: pipelineOf(windowCase), id, stream, store });
await task.claim();
const transactions = await log.fence(id, id, { topic: stream.topic, partition: 0 });
await task.apply(Array.from({ length: rows }, (_, place) => place));
await checkpoint();
const figures: CheckpointFigures[] = [];
for (let number = 0; number < checkpoints; number++) {
  const first = rows + number * dirty;
  await task.apply(Array.from({ length: dirty }, (_, index) => first + index));
  figures.push(await checkpoint());
}
const load = (await spentOn(() => task.checkpointer.load(task.lastName, null))).spent;
const outcome: CheckpointOutcome = { checkpoints: figures, load };
console.log(JSON.stringify(outcome));
await transactions.close();
await log.close();
process.exit(0);

async function checkpoint(): Promise<CheckpointFigures> {
  const { kind } = task;
  const { result: cut, spent: cutting } = await spentOn(() => task.cut());
  const { result: prepared, spent: write } = await spentOn(() => task.write(cut));
  const { spent: register } = await spentOn(() => task.register(prepared));
  const { spent: commit } = await spentOn(() => transactions.commit(prepared.commit));
  await task.committed(prepared);
  const { spent: compact } = await spentOn(() => task.compactIfLong());
  return { kind, bytes: cut.snapshot.length, cut: cutting, write, register, commit, compact };
}
