/** Batches that streams' mappings gave up for their age: no entries of the archive, so they are told beside those. */
import type { AgedOutBucket } from "../../contracts/aged-out.ts";
import { environmentVariables } from "../../contracts/environment.ts";
import type { AgedOutCount, AgedOutObjects } from "../../runtime/archive/aged-out-objects.ts";

/** Ten requests a bucket; from here on nobody waits for the exact number. */
const MAX_COUNTED = 10_000;

/**
 * Lines that say which mappings gave up how many batches, since when, and what looks at them; none where there are no
 * such batches. Rejects with BucketUnavailableError.
 *
 * @param buckets undefined: nothing says which they are, and so does the line
 */
export async function agedOutLines(
  objects: Pick<AgedOutObjects, "count">,
  buckets: readonly AgedOutBucket[] | undefined,
): Promise<readonly string[]> {
  if (buckets === undefined) {
    const name = environmentVariables.agedOutBuckets;
    return [`batches that aged out are not looked for, as ${name} is not set`];
  }
  const lines: string[] = [];
  for (const { mapping, bucket } of buckets) {
    const { batches, sinceMs } = await objects.count(bucket, MAX_COUNTED);
    if (batches > 0) lines.push(lineOf(mapping, { batches, sinceMs }));
  }
  if (lines.length === 0) return [];
  return [...lines, "they are no entries: spillway dead-letters redrive --aged-out says what is in them"];
}

function lineOf(mapping: string, { batches, sinceMs }: AgedOutCount): string {
  const more = batches === MAX_COUNTED ? " or more" : "";
  const since = new Date(sinceMs).toISOString();
  return `${String(batches).padStart(8)}${more}  batches of ${mapping} aged out, the first at ${since}`;
}
