/** Generated traffic as the arrivals of a run, and what is known to be true of it. */
import { deliver, type Stream, type Truth } from "../../../cli/generate/traffic.ts";
import { type Arrival, watermark } from "../engine/scripted-run.ts";

/** Later than any generated event. */
const END_MS = Date.UTC(2030, 0, 1);

export interface Generated {
  readonly arrivals: readonly Arrival[];
  readonly truth: readonly Truth[];
}

export function generated(stream: Stream, topic: string, seed: number): Generated {
  const delivered = [...deliver(stream, { events: 20_000, seed, users: 300, hotShare: 0 })];
  const arrivals = delivered.map(({ line }) => ({ topic, value: line, arrivalMs: END_MS }));
  const truth = [...delivered.flatMap((each) => each.truth), ...stream.truth()];
  return { arrivals: [...arrivals, watermark(topic, END_MS)], truth };
}
