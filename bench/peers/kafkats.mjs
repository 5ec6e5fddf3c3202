import { KafkaClient } from "@kafkats/client";

/** A producer of @kafkats/client that waits for all copies; a send's records go out as soon as they are given. */
export async function connect(bootstrapServers) {
  const client = new KafkaClient({ brokers: [bootstrapServers], clientId: "bench" });
  // Idempotent would be its safest; kafkajs' producer is not, so neither is this one.
  const producer = client.producer({ acks: "all", lingerMs: 0, maxBatchBytes: 1_000_000 });
  await client.connect();
  return {
    send: (topic, records) => producer.send(topic, records),
    close: async () => {
      await producer.disconnect();
      await client.disconnect();
    },
  };
}
