import { Producer } from "@platformatic/kafka";

/** A producer of @platformatic/kafka that waits for all copies. */
export async function connect(bootstrapServers) {
  const producer = new Producer({
    clientId: "bench",
    bootstrapBrokers: [bootstrapServers],
    acks: -1,
    autocreateTopics: false,
  });
  return {
    send: (topic, records) =>
      producer.send({ acks: -1, messages: records.map((record) => ({ ...record, topic })) }),
    close: () => producer.close(),
  };
}
