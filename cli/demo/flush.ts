/** Closes every window: watermark records, which only an operator may write, go to every partition of the topic. */
import type { Kafka } from "kafkajs";
import { WATERMARK_HEADER } from "../../contracts/dead-letter.ts";
import { topicOffsets } from "../kafka.ts";

/** Writes one watermark record of `watermarkMs` to each of the topic's partitions. */
export async function flushWindows(kafka: Kafka, topic: string, watermarkMs: number): Promise<void> {
  const admin = kafka.admin();
  const producer = kafka.producer();
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    const partitions = await topicOffsets(admin, topic);
    await producer.send({
      topic,
      acks: -1,
      messages: partitions.map(({ partition }) => ({
        partition,
        key: null,
        value: null,
        headers: { [WATERMARK_HEADER]: String(watermarkMs) },
      })),
    });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}
