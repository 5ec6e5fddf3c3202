/** Mutants of what a recovery gives back of sessions, keyed states and timers: rule 9. */
import type { SimulatedMutant } from "../mutant.ts";

const SESSIONS = "processors/engine/operators/windows/session-windows.ts";
const SESSIONS_STATE = "processors/engine/operators/windows/session-windows-state.ts";
const PROCESS_STATE = "processors/engine/operators/process/process-state.ts";

export const stateMutants: readonly SimulatedMutant[] = [
  {
    name: "a key that was forgotten is back after a recovery",
    rule: 9,
    file: "processors/engine/state/keyed-store.ts",
    find: "if (this.#values.delete(key)) this.#dirty.add(key);",
    replace: "this.#values.delete(key);",
    seeds: [4],
  },
  {
    name: "that a session was emitted is not in the delta",
    rule: 9,
    file: SESSIONS,
    find: "lastMs + this.#gapMs, row);\n    this.#state.sessions.touch(key);\n",
    replace: "lastMs + this.#gapMs, row);\n",
    seeds: [4],
  },
  {
    name: "when open sessions are emitted next is not in the delta",
    rule: 9,
    file: SESSIONS_STATE,
    find: "  writeDelta(writer: ByteWriter): void {\n    writer.float64(this.early.dueMs);\n",
    replace: "  writeDelta(writer: ByteWriter): void {\n    writer.float64(Number.POSITIVE_INFINITY);\n",
    seeds: [11],
  },
  {
    name: "sessions that changed are not emitted early after a recovery",
    rule: 9,
    file: SESSIONS_STATE,
    find: "if ((session.row[CHANGED] as number) > 0) changed.push(session);",
    replace: "",
    seeds: [11],
  },
  {
    name: "how many results a step emitted is not in the delta",
    rule: 9,
    file: PROCESS_STATE,
    find: "  writeDelta(writer: ByteWriter): void {\n    writer.varint(this.emitted);\n",
    replace: "  writeDelta(writer: ByteWriter): void {\n    writer.varint(0);\n",
    seeds: [1],
  },
  {
    name: "a state that was restored never expires",
    rule: 9,
    file: PROCESS_STATE,
    find: "    for (const [key, state] of this.#states.entries()) this.#watch(key, state);\n",
    replace: "",
    seeds: [36],
  },
  {
    name: "timers that were restored do not fire",
    rule: 9,
    file: PROCESS_STATE,
    find: "    this.timers.restored();\n",
    replace: "",
    seeds: [8],
  },
];
