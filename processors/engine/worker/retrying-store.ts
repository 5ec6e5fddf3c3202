/**
 * A store whose requests are made again until they are answered. Only the requests: what the engine makes of the answers
 * is not tried twice, so that a bug of its own ends the task and is told, and does not loop.
 */
import type { CheckpointStore } from "../checkpoint/store.ts";

export type Retry = <Answer>(action: string, request: () => Promise<Answer>) => Promise<Answer>;

export const retryingStore = (store: CheckpointStore, retry: Retry): CheckpointStore => ({
  claim: (task, owner) => retry("claim", () => store.claim(task, owner)),
  read: (task) => retry("read slot", () => store.read(task)),
  register: (task, epoch, next) => retry("register", () => store.register(task, epoch, next)),
  reset: (task, generation) => retry("reset", () => store.reset(task, generation)),
  put: (name, bytes) => retry("write", () => store.put(name, bytes)),
  get: (name) => retry("load", () => store.get(name)),
  // What is left over costs storage, and is collected by the next owner: nobody waits for it.
  list: (task) => store.list(task),
  delete: (names) => store.delete(names),
});
