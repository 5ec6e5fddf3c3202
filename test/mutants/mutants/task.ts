/** Mutants of the task itself: rules 1, 2, 3, 10 and 13. */
import type { SimulatedMutant } from "../mutant.ts";

const TASK = "processors/engine/task/task.ts";
const WINDOWS = "processors/engine/operators/windows/fixed-windows.ts";
const SEEN = "processors/engine/state/seen.ts";

const FIRST_OF_APPLY =
  "    while (index < batch.count && left > 0 && !this.firing) {\n" +
  "      const offset = batch.offset(index);\n" +
  "      if (offset >= state.offset) {\n" +
  "        if (!this.#applyRecord(batch, index, input, enquiries)) break;\n" +
  "        state.offset = offset + 1;\n";

export const taskMutants: readonly SimulatedMutant[] = [
  {
    name: "records below the expected offset are applied again",
    rule: 6,
    file: TASK,
    find: "if (offset >= state.offset) {",
    replace: "{",
    seeds: [],
  },
  {
    name: "a record whose key belongs to another partition is counted",
    rule: 1,
    file: "processors/engine/task/key-cache.ts",
    find: "  if (home === partition) return;\n",
    replace: "  if (home >= 0 || partition >= 0) return;\n",
    seeds: [],
  },
  {
    name: "results depend on where batches end",
    rule: 1,
    file: TASK,
    find: `${FIRST_OF_APPLY}        if (this.firing) left -= this.fire(left);\n`,
    replace: FIRST_OF_APPLY.replace(" && !this.firing", ""),
    seeds: [],
  },
  {
    name: "the watermark advances before the record is applied",
    rule: 2,
    file: TASK,
    find: "    const knownFromMs = this.#state.inputs[input]!.knownFromMs(watermarkMs);\n",
    replace:
      "    this.#clock.sawRecord(input, timeMs - definition.outOfOrderMs, arrivalMs);\n" +
      "    const knownFromMs = this.#state.inputs[input]!.knownFromMs(watermarkMs);\n",
    seeds: [],
  },
  {
    name: "a window fires one millisecond late",
    rule: 2,
    file: WINDOWS,
    find: "({ endMs, fired }) => !fired && endMs <= watermarkMs",
    replace: "({ endMs, fired }) => !fired && endMs < watermarkMs",
    seeds: [10],
  },
  {
    name: "an event is late as soon as its window has fired",
    rule: 2,
    file: WINDOWS,
    find: "const lateByMs = watermarkMs - (lastMs + window.sizeMs + allowedLatenessMs);",
    replace: "const lateByMs = watermarkMs - (lastMs + window.sizeMs);",
    seeds: [],
  },
  {
    name: "a tick takes the time when the log's end was answered",
    rule: 3,
    file: "processors/engine/worker/idle.ts",
    find: "if (task.tick(input, nowMs)) onTick();",
    replace: "if (task.tick(input, clock.epochMs())) onTick();",
    seeds: [47],
  },
  {
    name: "a tick does not ask for the log's end",
    rule: 3,
    file: "processors/engine/worker/idle.ts",
    find: "return end !== undefined && end === this.#options.position(this.#input) && !task.firing;",
    replace: "return end !== undefined && !task.firing;",
    seeds: [],
  },
  {
    name: "ticks are not recorded",
    rule: 3,
    file: TASK,
    find: "    this.#ticks.push({ input, offsets: this.offsets, nowMs });\n",
    replace: "",
    seeds: [],
  },
  {
    name: "a tick does not move the watermark",
    rule: 3,
    file: "processors/engine/task/watermarks.ts",
    find: "recordWatermarkMs + Math.max(0, nowMs - lastArrivalMs)",
    replace: "recordWatermarkMs",
    seeds: [],
  },
  {
    name: "a bad record stops the partition",
    rule: 10,
    file: TASK,
    find: "if (!(error instanceof Rejection)) throw error;\n      this.#state.counters.dead",
    replace: "if (error) throw error;\n      this.#state.counters.dead",
    seeds: [],
  },
  {
    name: "a bad record goes nowhere",
    rule: 10,
    file: TASK,
    find: "      this.#outbox.deadRecord(batch, index, error.reason, error.message);\n",
    replace: "",
    seeds: [],
  },
  {
    name: "an event half applied leaves its first half to the next",
    rule: 10,
    file: TASK,
    find: "      this.#staging.discard();\n      if (!(error",
    replace: "      if (!(error",
    seeds: [],
  },
  {
    name: "a late event goes nowhere",
    rule: 10,
    file: TASK,
    find: "    this.#outbox.late(batch, index, lateByMs);\n",
    replace: "",
    seeds: [],
  },
  {
    name: "an event far in the future moves the watermark",
    rule: 10,
    file: "processors/engine/task/event-time.ts",
    find: "if (timeMs > arrivalMs + boundMs) {",
    replace: "if (timeMs > arrivalMs + boundMs && boundMs < 0) {",
    seeds: [],
  },
  {
    name: "an event that comes twice counts twice",
    rule: 13,
    file: TASK,
    find: "if (seen.has(identity)) return false;",
    replace: "",
    seeds: [],
  },
  {
    name: "an event older than the horizon is counted",
    rule: 13,
    file: TASK,
    find: "    if (timeMs < knownFromMs) {\n",
    replace: "    if (timeMs < knownFromMs - 1_000) {\n",
    seeds: [],
  },
  {
    name: "what was seen is forgotten too early",
    rule: 13,
    file: SEEN,
    find: "const keepFrom = Math.floor((watermarkMs - this.#horizonMs) / this.#bucketMs);",
    replace: "const keepFrom = Math.floor((watermarkMs - this.#horizonMs / 2) / this.#bucketMs);",
    seeds: [],
  },
  {
    name: "what was seen is not in the delta",
    rule: 13,
    file: SEEN,
    find: "this.#write(writer, ({ written }) => written);",
    replace: "this.#write(writer, ({ identities }) => identities.length);",
    seeds: [],
  },
];
