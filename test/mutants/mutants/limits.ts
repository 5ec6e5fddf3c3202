/** Mutants of what is bounded: rule 15. What goes on once there is room again, the simulation shows (rebalance.ts). */
import type { TestedMutant } from "../mutant.ts";

const LIMIT = "processors/engine/task/state-limit.ts";
const ASKING = "processors/engine/worker/asking.ts";
const GATE = "processors/engine/worker/service-gate.ts";
const CALL = "processors/engine/worker/service-call.ts";
const OF_GATE = "test/processors/engine/worker/gate/gate.test.ts";
const OF_RATE = "test/processors/engine/worker/gate/rate.test.ts";
const OF_ASKING = "test/processors/engine/worker/asking.test.ts";

export const limitsMutants: readonly TestedMutant[] = [
  {
    name: "a full state accepts another entry",
    rule: 15,
    file: LIMIT,
    find: "if (this.entries < this.#limits.maxEntriesPerTask) return;",
    replace: "if (this.entries <= this.#limits.maxEntriesPerTask) return;",
    test: "test/processors/engine/state-limit.test.ts",
  },
  {
    name: "one more id is remembered than may be",
    rule: 15,
    file: LIMIT,
    find: "if (this.ids >= maxIdsPerTask)",
    replace: "if (this.ids > maxIdsPerTask)",
    test: "test/processors/engine/bad-input/full-state.test.ts",
  },
  {
    name: "a full table accepts another row",
    rule: 15,
    file: LIMIT,
    find: "if (this.entries >= this.#limits.maxEntriesPerTask && !table",
    replace: "if (this.entries > this.#limits.maxEntriesPerTask && !table",
    test: "test/processors/engine/bad-input/full-state.test.ts",
  },
  {
    name: "a queue of batches has no bound",
    rule: 15,
    file: "processors/engine/worker/intake.ts",
    find: "if (!queue.paused && queue.waiting.length >= MAX_QUEUED_BATCHES) {",
    replace: "if (!queue.paused && queue.waiting.length < 0) {",
    test: "test/processors/engine/worker/intake.test.ts",
  },
  {
    name: "calls in flight have no bound",
    rule: 15,
    file: GATE,
    find: "while (this.#inFlight < enrich.maxInFlight * this.#lines.length) {",
    replace: "while (this.#lines.length > 0) {",
    test: OF_RATE,
  },
  {
    name: "calls a second have no bound",
    rule: 15,
    file: GATE,
    find: "this.#bucket?.take(nowMs);",
    replace: "",
    test: OF_RATE,
  },
  {
    name: "every process has the whole rate",
    rule: 15,
    file: GATE,
    find: "(enrich.maxRequestsPerSecond * this.#lines.length) / partitions",
    replace: "enrich.maxRequestsPerSecond",
    test: OF_RATE,
  },
  {
    name: "retries have no budget",
    rule: 15,
    file: GATE,
    find: "Math.max(pauseMs, this.#retries.take(nowMs))",
    replace: "pauseMs",
    test: OF_GATE,
  },
  {
    name: "a call asks as much as there is",
    rule: 15,
    file: GATE,
    find: " && questions.length < maxQuestions",
    replace: "",
    test: OF_GATE,
  },
  {
    name: "open questions have no bound",
    rule: 15,
    file: ASKING,
    find: "!ahead.line.hasRoom || ",
    replace: "",
    test: OF_ASKING,
  },
  {
    name: "answers that are kept have no bound",
    rule: 15,
    file: "flow/ttl-cache.ts",
    find: "if (this.#entries.size <= this.#options.maxEntries) return;",
    replace: "if (this.#entries.size > 0) return;",
    test: "test/flow/ttl-cache.test.ts",
  },
  {
    name: "records that are read ahead have no bound",
    rule: 15,
    file: ASKING,
    find: " || ahead.enquiries.size >= ahead.maxRecords)",
    replace: ")",
    test: OF_ASKING,
  },
  {
    name: "attempts have no bound",
    rule: 15,
    file: GATE,
    find: "if (attempt < this.#options.enrich.maxAttempts) {",
    replace: "if (attempt <= this.#options.enrich.maxAttempts) {",
    test: OF_ASKING,
  },
  {
    name: "an answer may be of any size",
    rule: 15,
    file: CALL,
    find: "if (json.length <= MAX_ANSWER_CHARS) return { json };",
    replace: "if (json.length > 0) return { json };",
    test: OF_ASKING,
  },
  {
    name: "the sink writes everything at once",
    rule: 15,
    file: "runtime/for-each-bounded.ts",
    find: "length: Math.min(limit, items.length)",
    replace: "length: Math.max(limit, items.length)",
    test: "test/lambdas/sink/sink.test.ts",
  },
];
