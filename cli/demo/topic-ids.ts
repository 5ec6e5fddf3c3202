/** Which events are on a topic, by their ids, without parsing each of them. */
import type { Kafka } from "kafkajs";
import { readTopic } from "./topic-reader.ts";

/** How many records hold each id. `idIn` finds a record's; a record without one is left out. */
export async function idsOnTopic(
  kafka: Kafka,
  topic: string,
  idIn: (value: Buffer | null) => string | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  await readTopic(
    kafka,
    topic,
    ({ messages }) => {
      for (const { value } of messages) {
        const id = idIn(value);
        if (id !== undefined) ids.set(id, (ids.get(id) ?? 0) + 1);
      }
    },
    signal,
  );
  return ids;
}
