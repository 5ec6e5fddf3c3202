/** Mutants of what a rebalance does to tasks that stay and tasks that go: rules 6 and 7; and of their flow. */
import type { SimulatedMutant } from "../mutant.ts";

const WORKER = "processors/engine/worker/worker.ts";
const RUNNER = "processors/engine/worker/runner.ts";
const STANDING = "processors/engine/worker/standing.ts";
const INTAKE = "processors/engine/worker/intake.ts";

export const rebalanceMutants: readonly SimulatedMutant[] = [
  {
    name: "batches of an older generation are applied",
    rule: 6,
    file: WORKER,
    find: "if (generation === this.#generation) this.#tasks",
    replace: "if (generation >= 0) this.#tasks",
    seeds: [11],
  },
  {
    name: "a task whose partition went away goes on",
    rule: 6,
    file: WORKER,
    find: "      else this.#stopTask(partition);\n",
    replace: "",
    seeds: [],
  },
  {
    name: "a task that stays is not told of its new generation",
    rule: 7,
    file: WORKER,
    find: "if (assigned.has(partition) && isAtWork(runner)) runner.reassign(generation);",
    replace: "if (assigned.has(partition) && isAtWork(runner)) continue;",
    seeds: [],
  },
  {
    name: "a task that stays does not seek",
    rule: 6,
    file: RUNNER,
    find: "    if (this.#task !== undefined) this.#fetch(this.#task);\n",
    replace: "    if (this.#task !== undefined) this.#resume();\n",
    seeds: [],
  },
  {
    name: "a generation that is over confirms",
    rule: 7,
    file: STANDING,
    find: "else if ((await this.#membership.confirm(generation)) && generation === this.#generation) return;",
    replace: "else if ((await this.#membership.confirm(generation)) || generation >= 0) return;",
    seeds: [],
  },
  {
    name: "a question between two generations is never answered",
    rule: 7,
    file: STANDING,
    find: "    this.#generation = generation;\n    this.#wake();\n",
    replace: "    this.#generation = generation;\n",
    seeds: [],
  },
  {
    name: "a task that has parked or ended is not started anew",
    rule: 6,
    file: WORKER,
    find: '=> state === "recovering" || state === "running";',
    replace: '=> state !== "parked" || state === "parked";',
    seeds: [6],
    needsLoss: true,
  },
  {
    name: "a full queue is not resumed",
    rule: 15,
    file: INTAKE,
    find: "      this.#flow.resume(input);\n",
    replace: "",
    seeds: [],
  },
  {
    name: "a task that waits for room is not woken by its cut",
    rule: 15,
    file: RUNNER,
    find: "    // The cut emptied the outbox, so a task that waited for room can go on.\n    this.#wakeProcessing();\n",
    replace: "",
    seeds: [],
  },
  {
    name: "a firing cut in two is not gone on with",
    rule: 2,
    file: RUNNER,
    find: "  task.firing !== committed.firing ||\n",
    replace: "",
    seeds: [],
  },
];
