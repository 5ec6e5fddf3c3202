/** What Kafka did not take in time lies in the spillway, and comes to the topic later. */
import type { Kafka } from "kafkajs";
import type { GroupProgress } from "./group.ts";
import { idsOnTopic } from "./topic-ids.ts";
import { totalOf } from "./topic-reader.ts";
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
      const records = totalOf(await progress.ends());
      if (records <= events) return events - records;
      // Some came twice, so that their number says little.
      return events - (await idsOnTopic(kafka, topic, idIn, signal)).size;
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

const idIn = (value: Buffer | null): string | undefined => value?.toString("latin1").match(ID)?.[1];
