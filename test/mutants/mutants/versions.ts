/** Mutants of the versions that results carry, and of what the sink makes of them: rule 11. */
import type { TestedMutant } from "../mutant.ts";

const RESULTS = "contracts/results.ts";
const TABLE = "lambdas/sink/table.ts";
const OUTBOX = "processors/engine/task/outbox.ts";
const CONDITION = 'ConditionExpression: "attribute_not_exists(#version) OR #version < :version"';
const OF_TABLE = "test/lambdas/sink/table.test.ts";
const OF_BATCH = "test/lambdas/sink/batch.test.ts";

export const versionsMutants: readonly TestedMutant[] = [
  {
    name: "the sink keeps the newest arrival of a batch",
    rule: 11,
    file: "lambdas/sink/batch.ts",
    find: "other.version < stored.version",
    replace: "other.version !== stored.version",
    test: OF_BATCH,
  },
  {
    name: "the table keeps the newest arrival",
    rule: 11,
    file: TABLE,
    find: CONDITION,
    replace: 'ConditionExpression: "attribute_not_exists(#version) OR #version <> :version"',
    test: OF_TABLE,
  },
  {
    name: "a retraction takes back what is newer than it",
    rule: 11,
    file: TABLE,
    find: CONDITION,
    replace: `ConditionExpression: \`attribute_not_exists(#version) OR #version \${result.kind === "retract" ? "<>" : "<"} :version\``,
    test: OF_TABLE,
  },
  {
    name: "a retraction is forgotten while a replay may bring what it took back",
    rule: 11,
    file: TABLE,
    find: "const RETRACTION_TTL_S = 30 * 86_400;",
    replace: "const RETRACTION_TTL_S = 3_600;",
    test: OF_TABLE,
  },
  {
    name: "generations have no part in the order of versions",
    rule: 11,
    file: RESULTS,
    find: "return `$" + "{pad(generation, 6)}.$" + "{pad(checkpoint, 12)}.$" + "{pad(index, 8)}`;",
    replace: "return `$" + "{pad(checkpoint, 12)}.$" + "{pad(index, 8)}.$" + "{pad(generation, 6)}`;",
    test: OF_TABLE,
  },
  {
    name: "checkpoints are ordered as text",
    rule: 11,
    file: RESULTS,
    find: ".$" + "{pad(checkpoint, 12)}.",
    replace: ".$" + "{checkpoint}.",
    test: OF_BATCH,
  },
  {
    name: "results of one checkpoint have one version",
    rule: 11,
    file: OUTBOX,
    find: "index: this.#records.length }",
    replace: "index: 0 }",
    test: "test/processors/engine/task/outbox.test.ts",
  },
  {
    name: "results after a reset carry the generation of before",
    rule: 11,
    file: OUTBOX,
    find: "generation: this.#generation,",
    replace: "generation: Math.min(1, this.#generation),",
    test: "test/processors/engine/task/outbox.test.ts",
  },
  {
    name: "a reset leaves the generation as it is",
    rule: 11,
    file: "processors/engine/checkpoint/reset.ts",
    find: "Math.max(...claims.map((claim) => claim.generation)) + 1;",
    replace: "Math.max(...claims.map((claim) => claim.generation));",
    test: "test/processors/engine/upgrade/reset.test.ts",
  },
  {
    name: "a result whose window is no more is not taken back",
    rule: 11,
    file: "processors/engine/operators/windows/pane-writer.ts",
    find: "    if (this.#discarding) return;\n    const window",
    replace: "    if (revision > 0) return;\n    const window",
    test: "test/processors/engine/windows/session.test.ts",
  },
];
