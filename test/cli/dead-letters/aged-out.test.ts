/** What the commands say of batches that aged out, which are no entries of the archive. */
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { agedOutLines } from "../../../cli/dead-letters/aged-out.ts";
import { AgedOutObjects } from "../../../runtime/archive/aged-out-objects.ts";
import { BucketUnavailableError } from "../../../runtime/errors.ts";
import { startCheckpointStorage, type TestStorage } from "../../support/checkpoint-storage.ts";

let storage: TestStorage;
let objects: AgedOutObjects;
beforeAll(async () => {
  storage = await startCheckpointStorage();
  objects = new AgedOutObjects(storage.s3);
});
afterAll(() => storage.close());

async function bucketWith(bucket: string, keys: readonly string[]): Promise<void> {
  await storage.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const Key of keys) await storage.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "{}" }));
}

it("says how many each mapping gave up, since when, and what looks at them; what was redriven is none", async () => {
  const beforeMs = Math.floor(Date.now() / 1_000) * 1_000;
  await bucketWith("said-forward", [
    "aws/lambda/m/s/2026/1",
    "aws/lambda/m/s/2026/2",
    "redriven/aws/lambda/m/s/2026/0",
  ]);
  await bucketWith("said-high", []);
  await bucketWith("said-door", ["aws/lambda/n/s/2026/1"]);
  const lines = await agedOutLines(objects, [
    { mapping: "forward", bucket: "said-forward" },
    { mapping: "forward-high", bucket: "said-high" },
    { mapping: "door-partner", bucket: "said-door" },
  ]);
  expect(lines).toEqual([
    expect.stringMatching(/^ {7}2 {2}batches of forward aged out, the first at \d{4}-\d\d-\d\dT[\d:.]+Z$/),
    expect.stringMatching(/^ {7}1 {2}batches of door-partner aged out/),
    "they are no entries: spillway dead-letters redrive --aged-out says what is in them",
  ]);
  expect(Date.parse(lines[0]!.split(" ").at(-1)!)).toBeGreaterThanOrEqual(beforeMs);
});

it("counts to a bound, and says that there may be more", async () => {
  await bucketWith("bound", ["aws/lambda/1", "aws/lambda/2", "aws/lambda/3"]);
  expect(await objects.count("bound", 2)).toMatchObject({ batches: 2 });
  const many = { count: async (_: string, most: number) => ({ batches: most, sinceMs: 0 }) };
  const [line] = await agedOutLines(many, [{ mapping: "forward", bucket: "b" }]);
  expect(line).toBe("   10000 or more  batches of forward aged out, the first at 1970-01-01T00:00:00.000Z");
});

it("says nothing where there are none, and that it does not know where nothing says which buckets", async () => {
  await bucketWith("empty", []);
  expect(await agedOutLines(objects, [{ mapping: "forward", bucket: "empty" }])).toEqual([]);
  expect(await agedOutLines(objects, undefined)).toEqual([
    "batches that aged out are not looked for, as SPILLWAY_AGED_OUT_BUCKETS is not set",
  ]);
});

it("fails where a bucket cannot be listed: no number is none", async () => {
  await expect(agedOutLines(objects, [{ mapping: "forward", bucket: "no-such-bucket" }])).rejects.toThrow(
    BucketUnavailableError,
  );
});
