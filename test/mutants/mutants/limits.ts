/** Mutants of what is bounded: rule 15. What goes on once there is room again, the simulation shows (rebalance.ts). */
import type { TestedMutant } from "../mutant.ts";

const LIMIT = "processors/engine/task/state-limit.ts";
const ASKING = "processors/engine/worker/asking.ts";
const CALL = "processors/engine/worker/service-call.ts";
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
    file: ASKING,
    find: "this.#calls.size >= ahead.enrich.maxInFlight || ",
    replace: "",
    test: OF_ASKING,
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
    file: CALL,
    find: "if (attempt === enrich.maxAttempts) break;",
    replace: "if (attempt === enrich.maxAttempts + 1) break;",
    test: OF_ASKING,
  },
  {
    name: "an answer may be of any size",
    rule: 15,
    file: CALL,
    find: "if (text.length <= MAX_ANSWER_CHARS) return text;",
    replace: "if (text.length > 0) return text;",
    test: OF_ASKING,
  },
  {
    name: "the sink writes everything at once",
    rule: 15,
    file: "lambdas/sink/sink.ts",
    find: "length: Math.min(limit, items.length)",
    replace: "length: Math.max(limit, items.length)",
    test: "test/lambdas/sink/sink.test.ts",
  },
];
