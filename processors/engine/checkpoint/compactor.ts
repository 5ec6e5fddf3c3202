/** Making one base of a base and the deltas that follow it. */
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { decodeSnapshot, encodeBase } from "../state/snapshot.ts";

/** Where the work is done is the process's choice: a thread of its own leaves the event loop to the records. */
export type Compactor = (
  definition: PipelineDefinition,
  base: Uint8Array,
  deltas: readonly Uint8Array[],
) => Promise<Uint8Array>;

export const compactHere: Compactor = async (definition, base, deltas) =>
  encodeBase(definition, decodeSnapshot(definition, base, deltas));
