/** What the benchmark asks of Kafka beside its runs: topics, how far a group is, and what an engine writes. */
import { setTimeout as delay } from "node:timers/promises";
import type { Admin, Kafka, Producer } from "kafkajs";
import { type EndOffsets, endOffsets } from "../../cli/demo/topic-reader.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { type BenchEvent, closingEvents, PARTITIONS, partitionOfEvent } from "./events.ts";
import { Follower, type Following } from "./follower.ts";

const RETRY_MS = 100;
/** Nothing is deleted before everyone has read it, however old its time is; what is deleted goes soon. */
const TOPIC_CONFIGS = { "retention.ms": "-1", "retention.bytes": "-1", "file.delete.delay.ms": "1000" };

export class BenchBroker {
  readonly bootstrapServers: string;
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  #producer: Promise<Producer> | undefined;

  private constructor(bootstrapServers: string, kafka: Kafka, admin: Admin) {
    this.bootstrapServers = bootstrapServers;
    this.#kafka = kafka;
    this.#admin = admin;
  }

  static async connect(bootstrapServers: string): Promise<BenchBroker> {
    const kafka = createKafka({ clientId: "bench-main", bootstrapServers });
    const admin = kafka.admin();
    await admin.connect();
    return new BenchBroker(bootstrapServers, kafka, admin);
  }

  /** Those that are there stay. Resolves once each has leaders. */
  async createTopics(names: readonly string[]): Promise<void> {
    const existing = new Set(await this.#admin.listTopics());
    const configEntries = Object.entries(TOPIC_CONFIGS).map(([name, value]) => ({ name, value }));
    await this.#admin.createTopics({
      waitForLeaders: false,
      topics: names
        .filter((name) => !existing.has(name))
        .map((topic) => ({ topic, numPartitions: PARTITIONS, configEntries })),
    });
    // A broker may answer that it does not know the topic yet, for which kafkajs' own waiting gives up.
    for (const name of names) {
      while ((await orNull(this.#admin.fetchTopicOffsets(name))) === null) await delay(RETRY_MS);
    }
  }

  /** Those of one run: its results, and what an engine made for it. */
  async deleteTopicsOf(run: string, results: string): Promise<void> {
    const isOfRun = (topic: string): boolean => topic === results || topic.includes(run);
    const topics = (await this.#admin.listTopics()).filter(isOfRun);
    if (topics.length > 0) await this.#admin.deleteTopics({ topics });
  }

  /** How many records are in a topic. */
  async recordsIn(topic: string): Promise<number> {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** How many records of a topic a group has committed; null where the broker cannot tell yet. */
  async committed(groupId: string, topic: string): Promise<number | null> {
    const groups = await orNull(this.#admin.fetchOffsets({ groupId, topics: [topic] }));
    if (groups === null) return null;
    return groups[0]!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }

  /** One past each partition's last record that may be read. */
  endsOf(topic: string): Promise<EndOffsets> {
    return endOffsets(this.#admin, topic);
  }

  follow(following: Following): Promise<Follower> {
    return Follower.start(this.#kafka, following);
  }

  /** One more closing event for each partition. */
  async appendClosing(topic: string, events: number, round: number): Promise<void> {
    await this.append(topic, closingEvents(events, round));
  }

  async append(topic: string, events: readonly BenchEvent[]): Promise<void> {
    this.#producer ??= this.#connectProducer();
    const messages = events.map((event) => ({
      key: event.key,
      value: JSON.stringify(event),
      partition: partitionOfEvent(event),
    }));
    await (await this.#producer).send({ topic, messages, acks: -1 });
  }

  async #connectProducer(): Promise<Producer> {
    const producer = this.#kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }

  async close(): Promise<void> {
    await (await this.#producer)?.disconnect();
    await this.#admin.disconnect();
  }
}

/** What the broker answers, or null where it asks to be asked again. */
async function orNull<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if ((error as { readonly retriable?: boolean }).retriable) return null;
    throw error;
  }
}
