/**
 * A checkpoint store whose large blobs are kept in memory: the emulator of S3 takes 11 MiB at most, and S3 itself takes 5 GB
 * in one request. What is measured writes small ones; large are a first base and what compaction makes.
 */
import type { CheckpointStore } from "../../processors/engine/checkpoint/store.ts";

const MAX_BYTES = 10 * 1024 * 1024;

export function keepingLargeBlobs(store: CheckpointStore): CheckpointStore {
  const large = new Map<string, Uint8Array>();
  return {
    claim: (task, owner) => store.claim(task, owner),
    read: (task) => store.read(task),
    register: (task, epoch, next) => store.register(task, epoch, next),
    reset: (task, generation) => store.reset(task, generation),
    list: (task) => store.list(task),
    put: async (name, bytes) => {
      if (bytes.length > MAX_BYTES) large.set(name, bytes);
      else await store.put(name, bytes);
    },
    get: async (name) => large.get(name) ?? store.get(name),
    delete: async (names) => {
      for (const name of names) large.delete(name);
      await store.delete(names);
    },
  };
}
