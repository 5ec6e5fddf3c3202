import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Admin, Kafka, logLevel } from "kafkajs";
import type { Link } from "../links/link.ts";
import { freePort } from "../links/ports.ts";
import { Broker } from "./broker.ts";
import { type BrokerAddresses, serverProperties } from "./server-properties.ts";

const RETRY_MS = 100;

export interface ClusterOptions {
  readonly jars: string;
  readonly directory: string;
  readonly logDirectory: string;
  readonly verbose: boolean;
  readonly onLost: (line: string) => void;
  /** One per broker, in the order of their ids (from 1). */
  readonly links: readonly Link[];
  /** What the template's MSK configuration sets. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface Topic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** Kafka in KRaft mode, every node broker and controller. */
export class Cluster {
  readonly brokers: readonly Broker[];
  readonly #links: readonly Link[];

  private constructor(brokers: readonly Broker[], links: readonly Link[]) {
    this.brokers = brokers;
    this.#links = links;
  }

  static async create(options: ClusterOptions): Promise<Cluster> {
    const { jars, directory, logDirectory, verbose, links, onLost } = options;
    const addresses = await Promise.all(links.map((link, index) => brokerAddresses(index + 1, link)));
    // Kafka's cluster ids are 16 random bytes in URL-safe base64; one that starts with a dash reads as an option.
    const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
    const brokers = addresses.map((address, index) => {
      links[index]!.connectTo(address.clientPort);
      const home = join(directory, `broker-${address.id}`);
      return new Broker({
        id: address.id,
        clusterId,
        jars,
        directory: home,
        properties: serverProperties(options.properties, addresses, address, join(home, "data")),
        clientPort: address.clientPort,
        logFile: join(logDirectory, `broker-${address.id}.log`),
        verbose,
        onLost,
      });
    });
    return new Cluster(brokers, links);
  }

  /** Resolves once every broker is a member of the cluster. */
  async start(): Promise<void> {
    await Promise.all(
      this.brokers.map(async (broker) => {
        await broker.format();
        await broker.start();
      }),
    );
    await this.#withAdmin(async (admin) => {
      while ((await admin.describeCluster()).brokers.length < this.brokers.length) await sleep(RETRY_MS);
    });
  }

  /** Resolves once every partition of every topic has a leader. */
  async createTopics(topics: readonly Topic[]): Promise<void> {
    await this.#withAdmin(async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        })),
      });
      const names = topics.map(({ name }) => name);
      while (!(await haveLeaders(admin, names))) await sleep(RETRY_MS);
    });
  }

  async stop(): Promise<void> {
    // Their data goes with the run directory, so that a clean shutdown would only cost time.
    await Promise.all(this.brokers.map((broker) => broker.kill()));
  }

  async #withAdmin<Result>(use: (admin: Admin) => Promise<Result>): Promise<Result> {
    const kafka = new Kafka({
      clientId: "spillway-local",
      brokers: this.#links.map(({ address }) => address),
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: RETRY_MS, factor: 0, multiplier: 1, retries: 300 },
    });
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

/** A broker may not know a topic yet that another one has made, for which kafkajs' own waiting gives up. */
async function haveLeaders(admin: Admin, names: readonly string[]): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch (error) {
    if ((error as { readonly retriable?: boolean }).retriable) return false;
    throw error;
  }
}

async function brokerAddresses(id: number, link: Link): Promise<BrokerAddresses> {
  const [clientPort, internalPort, controllerPort] = [await freePort(), await freePort(), await freePort()];
  return { id, advertisedPort: link.port, clientPort, internalPort, controllerPort };
}
