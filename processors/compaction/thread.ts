/** The compaction thread: makes one base of each chain that it is sent, one after the other. */
import { parentPort } from "node:worker_threads";
import { compactHere } from "../engine/checkpoint/compactor.ts";
import { stagesOf } from "../engine/pipeline/definition.ts";
import { pipelines } from "../pipelines/all.ts";
import type { CompactionAnswer, CompactionRequest } from "./messages.ts";

const definitions = new Map(pipelines.flatMap(stagesOf).map((definition) => [definition.name, definition]));

async function answer({ id, pipeline, base, deltas }: CompactionRequest): Promise<CompactionAnswer> {
  try {
    return { id, base: await compactHere(definitions.get(pipeline)!, base, deltas) };
  } catch (error) {
    return { id, problem: String(error) };
  }
}

parentPort!.on("message", async (request: CompactionRequest) => {
  const answered = await answer(request);
  parentPort!.postMessage(answered, "base" in answered ? [answered.base.buffer as ArrayBuffer] : []);
});
