/** A stand-in for kafkajs' producers: it remembers every send, and fails as it is told to. */
import type { Kafka, Message, Producer, ProducerBatch, ProducerConfig, RecordMetadata } from "kafkajs";

export interface Sent {
  readonly topic: string;
  readonly message: Message;
}

/** How a send ends: acknowledged as usual, or what is returned instead, or thrown. */
export type SendBehaviour = (batch: ProducerBatch) => Promise<RecordMetadata[]> | RecordMetadata[];

export class FakeKafka implements Pick<Kafka, "producer"> {
  readonly sends: ProducerBatch[] = [];
  readonly producers: { connects: number; disconnects: number }[] = [];
  /** Behaviours of the next sends; after them every send is acknowledged. */
  readonly next: SendBehaviour[] = [];
  /** Errors of the next connects. */
  readonly connectErrors: Error[] = [];
  partitionCount = 4;

  producer(config: ProducerConfig = {}): Producer {
    const counts = { connects: 0, disconnects: 0 };
    this.producers.push(counts);
    const partitioner = config.createPartitioner?.();
    const send = async (batch: ProducerBatch): Promise<RecordMetadata[]> => {
      this.sends.push(batch);
      const acknowledged = this.#acknowledge(batch, partitioner);
      const behaviour = this.next.shift();
      return behaviour === undefined ? acknowledged : behaviour(batch);
    };
    const fake: Partial<Producer> = {
      connect: async () => {
        counts.connects += 1;
        const error = this.connectErrors.shift();
        if (error !== undefined) throw error;
      },
      disconnect: async () => {
        counts.disconnects += 1;
      },
      send: ({ topic, messages, ...record }) => send({ ...record, topicMessages: [{ topic, messages }] }),
      sendBatch: send,
    };
    return fake as Producer;
  }

  /** Everything that was sent, in order. */
  get messages(): readonly Sent[] {
    return this.sends.flatMap(({ topicMessages = [] }) =>
      topicMessages.flatMap(({ topic, messages }) => messages.map((message) => ({ topic, message }))),
    );
  }

  /** The values that were sent, parsed. */
  get events(): readonly Readonly<Record<string, unknown>>[] {
    return this.messages.map(({ message }) => JSON.parse(String(message.value)));
  }

  #acknowledge(batch: ProducerBatch, partitioner?: Partitioner): RecordMetadata[] {
    const partitionMetadata = Array.from({ length: this.partitionCount }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 0,
      replicas: [0],
      isr: [0],
    }));
    return (batch.topicMessages ?? []).flatMap(({ topic, messages }) => {
      const partitions = messages.map((message) => partitioner?.({ topic, partitionMetadata, message }) ?? 0);
      return [...new Set(partitions)].map((partition) => ({ topicName: topic, partition, errorCode: 0 }));
    });
  }
}

type Partitioner = ReturnType<NonNullable<ProducerConfig["createPartitioner"]>>;
