/** The windows that the engines are compared at; the aggregates of all of them are the number, the sum and the largest. */
import type { Stream } from "./events.ts";

export type WindowSpec =
  | { readonly kind: "tumbling"; readonly sizeMs: number }
  | { readonly kind: "hopping"; readonly sizeMs: number; readonly advanceMs: number }
  | { readonly kind: "session"; readonly gapMs: number }
  /** One window for all time, whose result is emitted at each event. */
  | { readonly kind: "global" };

export interface WindowCase {
  /** Names pipelines and topics too. */
  readonly name: string;
  readonly title: string;
  readonly stream: Stream;
  readonly window: WindowSpec;
}

const tenThousandKeys: Stream = { topic: "bench-events", keys: 10_000, order: "random" };
const millionKeys: Stream = { topic: "bench-many-keys", keys: 1_000_000, order: "each" };

export const windowCases: readonly WindowCase[] = [
  {
    name: "bench-tumbling",
    title: "tumbling 60 s, 10 k keys",
    stream: tenThousandKeys,
    window: { kind: "tumbling", sizeMs: 60_000 },
  },
  {
    name: "bench-hopping",
    title: "hopping 60 s / 10 s, 10 k keys",
    stream: tenThousandKeys,
    window: { kind: "hopping", sizeMs: 60_000, advanceMs: 10_000 },
  },
  {
    name: "bench-session",
    title: "sessions, gap 2 s, 10 k keys",
    stream: tenThousandKeys,
    window: { kind: "session", gapMs: 2_000 },
  },
  {
    // Long enough that all keys have a row at once.
    name: "bench-many-keys",
    title: "tumbling 600 s, 1 M keys",
    stream: millionKeys,
    window: { kind: "tumbling", sizeMs: 600_000 },
  },
];

/** The case of that name, which its process was given as an argument. */
export const windowCaseOf = (name: string): WindowCase => windowCases.find((each) => each.name === name)!;
