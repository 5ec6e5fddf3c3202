import { randomUUID } from "node:crypto";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AwsCheckpointStore, MAX_INLINE_BYTES } from "../../../processors/adapters/aws-checkpoint-store.ts";
import { SlotRefusedError } from "../../../processors/engine/checkpoint/store.ts";
import { BucketUnavailableError, TableUnavailableError } from "../../../runtime/errors.ts";
import { startCheckpointStorage, type TestStorage } from "../../support/checkpoint-storage.ts";

let storage: TestStorage;
let store: AwsCheckpointStore;
beforeAll(async () => {
  storage = await startCheckpointStorage();
  store = new AwsCheckpointStore(storage);
});
afterAll(() => storage.close());

let task: string;
beforeEach(() => {
  task = `dev/airport-delays/${randomUUID()}`;
});

const genesis = { id: "m0", parent: null };
const child = { id: "m1", parent: "m0" };

describe("claiming a task", () => {
  test("raises its epoch from 1 and tells what the slot holds", async () => {
    expect(await store.claim(task, "host/1")).toEqual({ epoch: 1, slot: null, generation: 1 });
    await store.register(task, 1, genesis);
    expect(await store.claim(task, "host/2")).toEqual({ epoch: 2, slot: genesis, generation: 1 });
    expect(await store.read(task)).toEqual({ epoch: 2, slot: genesis, generation: 1 });
  });

  test("gives every claimer an epoch of its own", async () => {
    const claims = await Promise.all(["a", "b", "c", "d"].map((owner) => store.claim(task, owner)));
    expect(claims.map(({ epoch }) => epoch).sort()).toEqual([1, 2, 3, 4]);
  });
});

describe("registering a checkpoint", () => {
  test("moves the slot from parent to child", async () => {
    await store.claim(task, "host/1");
    await store.register(task, 1, genesis);
    await store.register(task, 1, child);
    expect(await store.read(task)).toEqual({ epoch: 1, slot: child, generation: 1 });
  });

  test("may be repeated, since its answer may have been lost", async () => {
    await store.claim(task, "host/1");
    await store.register(task, 1, genesis);
    await store.register(task, 1, genesis);
    await store.register(task, 1, child);
    await store.register(task, 1, child);
    expect(await store.read(task)).toEqual({ epoch: 1, slot: child, generation: 1 });
  });

  test("is refused for a task nobody claimed", async () => {
    await expect(store.register(task, 1, genesis)).rejects.toThrow(SlotRefusedError);
    expect(await store.read(task)).toEqual({ epoch: 0, slot: null, generation: 1 });
  });

  test("is refused from an older epoch, also where the slot already holds it", async () => {
    await store.claim(task, "host/1");
    await store.register(task, 1, genesis);
    await store.claim(task, "host/2");
    await expect(store.register(task, 1, child)).rejects.toThrow(/newest epoch is 2 and its slot holds m0/);
    await expect(store.register(task, 1, genesis)).rejects.toThrow(SlotRefusedError);
    expect(await store.read(task)).toEqual({ epoch: 2, slot: genesis, generation: 1 });
  });

  test.each([
    ["a second genesis", { id: "other", parent: null }],
    ["another parent", { id: "m2", parent: "m1" }],
    ["the same name with another parent", { id: "m0", parent: "m1" }],
  ])("is refused for %s", async (_name, next) => {
    await store.claim(task, "host/1");
    await store.register(task, 1, genesis);
    await expect(store.register(task, 1, next)).rejects.toThrow(SlotRefusedError);
    expect(await store.read(task)).toEqual({ epoch: 1, slot: genesis, generation: 1 });
  });

  test("is refused where a parent is expected and there is no slot", async () => {
    await store.claim(task, "host/1");
    await expect(store.register(task, 1, child)).rejects.toThrow(SlotRefusedError);
  });
});

describe("resetting a task", () => {
  test("empties its slot for a genesis of the new generation, and refuses whoever owned it", async () => {
    await store.claim(task, "host/1");
    await store.register(task, 1, genesis);
    await store.reset(task, 2);
    await store.reset(task, 2);
    await expect(store.register(task, 1, child)).rejects.toThrow(SlotRefusedError);
    expect(await store.claim(task, "host/2")).toEqual({ epoch: 4, slot: null, generation: 2 });
    await store.register(task, 4, genesis);
    expect(await store.read(task)).toEqual({ epoch: 4, slot: genesis, generation: 2 });
  });

  test("never lowers the generation, and makes the task where there is none", async () => {
    await store.reset(task, 3);
    await expect(store.reset(task, 2)).rejects.toThrow(TableUnavailableError);
    expect(await store.read(task)).toEqual({ epoch: 1, slot: null, generation: 3 });
  });
});

describe("blobs", () => {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

  const keyOf = (name: string) => ({
    pk: { S: task },
    sk: { S: `blob#${name.slice(task.length + 1)}` },
  });
  const inTable = async (name: string) => {
    const { dynamodb, table: TableName } = storage;
    const command = new GetItemCommand({ TableName, Key: keyOf(name) });
    return (await dynamodb.send(command)).Item !== undefined;
  };
  const inBucket = (name: string) =>
    storage.s3.send(new HeadObjectCommand({ Bucket: storage.bucket, Key: name })).then(
      () => true,
      () => false,
    );

  test.each([
    ["an empty one", 0, true],
    ["one of the inline limit", MAX_INLINE_BYTES, true],
    ["one byte more", MAX_INLINE_BYTES + 1, false],
    ["a megabyte", 1_000_000, false],
  ])("%s comes back as it was", async (_name, length, inline) => {
    const name = `${task}/00000001-000000000000-${randomUUID()}/base`;
    await store.put(name, bytes(length));
    await store.put(name, bytes(length));
    expect(await store.get(name)).toEqual(bytes(length));
    expect([await inTable(name), await inBucket(name)]).toEqual([inline, !inline]);
  });

  test("a missing one is null", async () => {
    expect(await store.get(`${task}/never-written`)).toBeNull();
  });

  test("those of a task are listed from both places, and no others", async () => {
    await store.claim(task, "host/1");
    const names = [`${task}/00000001-0/base`, `${task}/00000001-0`, `${task}/00000002-1/outputs`];
    const others = [`${task}0/00000001-0`, `savepoints/${task.slice(0, task.lastIndexOf("/"))}/before`];
    for (const [index, name] of [...names, ...others].entries()) {
      await store.put(name, bytes(index === 2 ? MAX_INLINE_BYTES + 1 : 10));
    }
    expect([...(await store.list(task))].sort()).toEqual([...names].sort());
    expect(await store.list(`${task}1`)).toEqual([]);
  });

  test("any number of them is deleted from both places, missing ones among them", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `${task}/${index}`);
    await Promise.all(
      names
        .slice(1)
        .map((name, index) => store.put(name, bytes(index % 10 === 0 ? MAX_INLINE_BYTES + 1 : 10))),
    );
    await store.delete(names);
    expect(await Promise.all(names.map((name) => store.get(name)))).toEqual(names.map(() => null));
    await store.delete([]);
  });
});

describe("storage that is away", () => {
  test("is told with what was tried, where, and the cause", async () => {
    const nowhere = new AwsCheckpointStore({ ...storage, table: "no-such-table", bucket: "no-such-bucket" });
    const claimed = nowhere.claim(task, "host/1");
    await expect(claimed).rejects.toThrow(TableUnavailableError);
    await expect(claimed).rejects.toThrow(/claim the task .* \(table no-such-table\)/);
    await expect(claimed).rejects.toHaveProperty("cause.name", "ResourceNotFoundException");
    await expect(nowhere.put("big", new Uint8Array(10_000))).rejects.toThrow(BucketUnavailableError);
  });
});
