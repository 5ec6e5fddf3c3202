/**
 * Compacts checkpoints in a thread of its own, so that a large state's compaction takes no time from the records. The
 * thread starts with the first compaction, and anew after one that ended it.
 */
import { Worker } from "node:worker_threads";
import type { Compactor } from "../engine/checkpoint/compactor.ts";
import type { CompactionAnswer, CompactionRequest } from "./messages.ts";

/** The thread ended, or could not compact; the chain stays as it is, and is compacted later. */
export class CompactionError extends Error {
  override readonly name = "CompactionError";
  readonly code = "COMPACTION_FAILED";
}

interface Pending {
  readonly resolve: (base: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

export class CompactionThread {
  readonly #script: string;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #requests = 0;

  /** @param script the file that runs the compaction in any thread but the main one */
  constructor(script: string) {
    this.#script = script;
  }

  readonly compact: Compactor = ({ name }, base, deltas) => {
    this.#worker ??= this.#start();
    const request: CompactionRequest = { id: this.#requests++, pipeline: name, base, deltas };
    const answered = new Promise<Uint8Array>((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject });
    });
    this.#worker.postMessage(request);
    return answered;
  };

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#script);
    // A compaction under way is no reason for a process to go on that has been told to stop.
    worker.unref();
    worker.on("message", (answer: CompactionAnswer) => this.#settle(answer));
    worker.on("error", (error) => this.#fail(`the compaction thread failed: ${error}`));
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#fail("the compaction thread ended");
    });
    return worker;
  }

  #settle(answer: CompactionAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("base" in answer) pending?.resolve(answer.base);
    else pending?.reject(new CompactionError(answer.problem));
  }

  #fail(reason: string): void {
    for (const { reject } of this.#pending.values()) reject(new CompactionError(reason));
    this.#pending.clear();
  }
}
