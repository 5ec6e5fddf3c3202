/** What a test needs of a generated stream: its events as they are read back, and what is known to be true of them. */

import { deliver, type GenerateOptions, type Stream, type Truth } from "../../../cli/generate/traffic.ts";
import type { CloudEvent } from "../../../contracts/cloudevent.ts";

export interface Read {
  readonly event: CloudEvent<Readonly<Record<string, unknown>> & { readonly userId: string }>;
  readonly timeMs: number;
}

export interface Generated {
  readonly lines: readonly string[];
  readonly events: readonly Read[];
  readonly truth: readonly Truth[];
}

export function generated(stream: Stream, options: Partial<GenerateOptions>): Generated {
  const delivered = [...deliver(stream, { events: 20_000, seed: 1, users: 2_000, hotShare: 0, ...options })];
  const lines = delivered.map(({ line }) => line);
  return {
    lines,
    events: lines.map((line) => {
      const event = JSON.parse(line) as Read["event"];
      return { event, timeMs: Date.parse(event.time) };
    }),
    truth: [...delivered.flatMap(({ truth }) => truth), ...stream.truth()],
  };
}

/** For each event, how far its time lies behind the highest before it; zero or less where it does not. */
export function disorder(events: readonly Read[]): readonly number[] {
  let highestMs = Number.NEGATIVE_INFINITY;
  return events.map(({ timeMs }) => {
    const behindMs = highestMs - timeMs;
    highestMs = Math.max(highestMs, timeMs);
    return behindMs;
  });
}

export const idsOf = (truth: readonly Truth[], kind: string): readonly string[] =>
  truth.filter((each) => each.kind === kind).map(({ id }) => id as string);
