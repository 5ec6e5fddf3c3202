/** What Kafka did not take in time lies in the spillway, and comes to the topic later. */
import type { Kafka } from "kafkajs";
import type { GroupProgress } from "./group.ts";
import { readTopic } from "./topic-reader.ts";
import { untilNoneRemains } from "./wait.ts";

/** A stream that flow control has paused runs again minutes later. */
const STALL_TIMEOUT_MS = 300_000;
const POLL_MS = 500;

export interface Accepted {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly progress: Pick<GroupProgress, "ends">;
  /** How many events were accepted, each with an id of its own. */
  readonly events: number;
  readonly signal: AbortSignal;
}

/** Resolves once the topic, which was empty, holds every accepted event. */
export async function untilOnTopic({ kafka, topic, progress, events, signal }: Accepted): Promise<void> {
  await untilNoneRemains(
    async () => {
      const records = [...(await progress.ends()).values()].reduce((sum, end) => sum + end, 0);
      if (records <= events) return events - records;
      // Some came twice, so that their number says little.
      return events - (await countIds(kafka, topic, signal));
    },
    {
      what: "accepted events are not on the topic yet",
      intervalMs: POLL_MS,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      signal,
    },
  );
}

const ID = /"id":"([^"]+)"/;

async function countIds(kafka: Kafka, topic: string, signal: AbortSignal): Promise<number> {
  const ids = new Set<string>();
  await readTopic(
    kafka,
    topic,
    ({ messages }) => {
      for (const { value } of messages) {
        const id = value?.toString("latin1").match(ID)?.[1];
        if (id !== undefined) ids.add(id);
      }
    },
    signal,
  );
  return ids.size;
}
