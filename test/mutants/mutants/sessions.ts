/** Mutants of the bounds of session windows and sliding ones: rule 14. */
import type { TestedMutant } from "../mutant.ts";

const SESSIONS = "processors/engine/operators/windows/session-windows.ts";
const SLIDING = "processors/engine/operators/windows/sliding-windows.ts";
const OF_SESSIONS = "test/processors/engine/windows/session.test.ts";
const OF_SLIDING = "test/processors/engine/windows/sliding.test.ts";

export const sessionsMutants: readonly TestedMutant[] = [
  {
    name: "an event exactly one gap after a session begins another",
    rule: 14,
    file: SESSIONS,
    find: "sessions[at - 1]!.lastMs + this.#gapMs >= timeMs",
    replace: "sessions[at - 1]!.lastMs + this.#gapMs > timeMs",
    test: OF_SESSIONS,
  },
  {
    name: "an event exactly one gap before a session is one of its own",
    rule: 14,
    file: SESSIONS,
    find: "session.firstMs - this.#gapMs <= timeMs",
    replace: "session.firstMs - this.#gapMs < timeMs",
    test: OF_SESSIONS,
  },
  {
    name: "a session ends with its last event",
    rule: 14,
    file: SESSIONS,
    find: "this.#panes.emit(key, firstMs, lastMs + this.#gapMs, row);",
    replace: "this.#panes.emit(key, firstMs, lastMs + 1, row);",
    test: OF_SESSIONS,
  },
  {
    name: "a session fires one millisecond after its end",
    rule: 14,
    file: "processors/engine/operators/windows/session-windows-state.ts",
    find: "return lastMs + window.gapMs + (",
    replace: "return lastMs + window.gapMs + 1 + (",
    test: OF_SESSIONS,
  },
  {
    name: "a sliding window's end is exclusive",
    rule: 14,
    file: SLIDING,
    find: "      if (instant.timeMs >= endMs) break;\n",
    replace: "      if (instant.timeMs >= endMs - 1) break;\n",
    test: OF_SLIDING,
  },
  {
    name: "a sliding window's start is exclusive",
    rule: 14,
    file: SLIDING,
    find: "for (let at = firstFrom(instants, window.timeMs); at",
    replace: "for (let at = firstFrom(instants, window.timeMs + 1); at",
    test: OF_SLIDING,
  },
  {
    name: "a sliding window is printed with its last time as its end",
    rule: 14,
    file: SLIDING,
    find: "this.#panes.emit(key, window.timeMs, endMs, row);",
    replace: "this.#panes.emit(key, window.timeMs, endMs - 1, row);",
    test: OF_SLIDING,
  },
];
