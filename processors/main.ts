/**
 * Where a processor starts: its main thread runs the pipelines, and any other thread compacts checkpoints for it. Both
 * begin here, so that the bundle is one file.
 */
import { isMainThread } from "node:worker_threads";

await (isMainThread ? import("./processor.ts") : import("./compaction/thread.ts"));
