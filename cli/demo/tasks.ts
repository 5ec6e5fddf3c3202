/** What the pipeline's tasks say of themselves in their committed checkpoints. */
import type { Admin } from "kafkajs";
import { AwsCheckpointStore } from "../../processors/adapters/aws-checkpoint-store.ts";
import { committedManifest } from "../../processors/engine/checkpoint/inspect.ts";
import type { Manifest } from "../../processors/engine/checkpoint/manifest.ts";
import type { CheckpointStore } from "../../processors/engine/checkpoint/store.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { createS3Client } from "../../runtime/s3.ts";
import type { Outcomes } from "../flights/expected.ts";
import type { Platform } from "../platform/platform.ts";
import type { Difference } from "./compare.ts";

/** Logical ids of the checkpoints' table and bucket begin with it. */
const CHECKPOINTS = "Checkpoints";

/** The checkpoints of a run of the platform, to be looked at only. */
export function checkpointStore({ tables, buckets, environment }: Platform): Pick<CheckpointStore, "get"> {
  // The SDK takes region, credentials and endpoints from the environment, here as in the processor.
  Object.assign(process.env, environment);
  return new AwsCheckpointStore({
    dynamodb: createDynamoDBClient(),
    s3: createS3Client(),
    table: named(tables, "table"),
    bucket: named(buckets, "bucket"),
  });
}

function named(names: Readonly<Record<string, string>>, kind: string): string {
  const name = Object.entries(names).find(([logicalId]) => logicalId.startsWith(CHECKPOINTS))?.[1];
  if (name === undefined) throw new Error(`the local platform has no ${kind} for checkpoints`);
  return name;
}

/** The committed manifest of every task of the group that has committed yet. */
export async function readManifests(
  store: Pick<CheckpointStore, "get">,
  admin: Admin,
  group: string,
  topic: string,
): Promise<readonly Manifest[]> {
  const [entry] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const committed = entry!.partitions.filter(({ offset }) => Number(offset) >= 0);
  return Promise.all(committed.map(({ metadata }) => committedManifest(store, metadata ?? "")));
}

/** The counters that the tasks kept, summed, against what must have come of the log. */
export function compareCounters(manifests: readonly Manifest[], expected: Outcomes): Difference {
  const wanted = {
    counted: expected.counted,
    late: expected.late,
    duplicate: expected.duplicate,
    dead: 0,
    ignored: 0,
    results: expected.windows,
  };
  const examples: string[] = [];
  for (const name of Object.keys(wanted) as (keyof typeof wanted)[]) {
    const kept = manifests.reduce((sum, { counters }) => sum + counters[name], 0);
    if (kept !== wanted[name]) examples.push(`the tasks count ${kept} ${name}; it must be ${wanted[name]}`);
  }
  return { count: examples.length, examples };
}
