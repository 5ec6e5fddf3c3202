/** Mutants of incremental checkpoints, their compaction and what is deleted of them: rule 9. */
import type { TestedMutant } from "../mutant.ts";

const CHAIN = "processors/engine/checkpoint/chain.ts";
const CHECKPOINTER = "processors/engine/checkpoint/checkpointer.ts";
const OF_CHAIN = "test/processors/engine/checkpoint/chain.test.ts";
const OF_CHECKPOINTER = "test/processors/engine/checkpoint/checkpointer.test.ts";

export const chainMutants: readonly TestedMutant[] = [
  {
    name: "what the successor refers to is deleted",
    rule: 9,
    file: CHECKPOINTER,
    find: "const kept = new Set(snapshotsOf(successor).map((blob) => blob.name));",
    replace: "const kept = new Set([successor.base.name]);",
    test: OF_CHECKPOINTER,
  },
  {
    name: "what the owner has written since is collected",
    rule: 9,
    file: CHECKPOINTER,
    find: "epochIn(blob, task) < epoch && !kept.has(blob)",
    replace: "epochIn(blob, task) <= epoch && !kept.has(blob)",
    test: OF_CHECKPOINTER,
  },
  {
    name: "the loaded chain is collected",
    rule: 9,
    file: CHECKPOINTER,
    find: "const kept = new Set([name, ...chain.map((blob) => blob.name)]);",
    replace: "const kept = new Set([name, ...chain.slice(1).map((blob) => blob.name)]);",
    test: OF_CHECKPOINTER,
  },
  {
    name: "a compaction loses the last delta",
    rule: 9,
    file: "processors/engine/checkpoint/compactor.ts",
    find: "decodeSnapshot(definition, base, deltas)",
    replace: "decodeSnapshot(definition, base, deltas.slice(0, -1))",
    test: OF_CHECKPOINTER,
  },
  {
    name: "deltas that were written during a compaction are lost",
    rule: 9,
    file: CHAIN,
    find: "deltas: deltas.slice(through + 1) }",
    replace: "deltas: [] }",
    test: OF_CHAIN,
  },
  {
    name: "a delta is written where only a base may follow",
    rule: 9,
    file: CHAIN,
    find: "if (!this.#extendable || base.bytes",
    replace: "if (base.bytes",
    test: OF_CHAIN,
  },
  {
    name: "every checkpoint of a large state is written whole",
    rule: 9,
    file: CHAIN,
    find: 'return this.#isLong(base, deltas, OVERDUE) ? "base" : "delta";',
    replace: 'return "base";',
    test: OF_CHAIN,
  },
  {
    name: "a delta holds everything that ever changed",
    rule: 9,
    file: "processors/engine/state/keyed-store.ts",
    find: "      if (value !== undefined) this.#codec.write(writer, value);\n    }\n    this.#dirty.clear();\n",
    replace: "      if (value !== undefined) this.#codec.write(writer, value);\n    }\n",
    test: "test/processors/engine/state/incremental.test.ts",
  },
];
