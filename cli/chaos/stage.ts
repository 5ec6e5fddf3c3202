/** A platform with three processes of one pipeline on three brokers, fed and read by a chaos run. */
import { setTimeout as delay } from "node:timers/promises";
import type { Admin, Kafka } from "kafkajs";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { topics } from "../../contracts/topics.ts";
import type { Manifest } from "../../processors/engine/checkpoint/manifest.ts";
import type { CheckpointStore } from "../../processors/engine/checkpoint/store.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { type Committed, GroupProgress } from "../demo/group.ts";
import { checkpointStore, readManifests } from "../demo/tasks.ts";
import type { EndOffsets } from "../demo/topic-reader.ts";
import { untilNoneRemains } from "../demo/wait.ts";
import { kafkaClient } from "../kafka.ts";
import { Control } from "../platform/control.ts";
import { type Platform, withPlatform } from "../platform/platform.ts";
import { BROKERS, LINKS, PROCESSORS, type Targets } from "./faults.ts";
import type { InputRecord, Traffic } from "./traffic.ts";

export const PIPELINE = "airport-delays";
export const TOPIC = flightDeparted.topic;
export const PARTITIONS = topics[TOPIC].partitions;
export const EVERY_PARTITION: readonly number[] = Array.from(
  { length: PARTITIONS },
  (_, partition) => partition,
);
/** The environment that the CDK app synthesizes when it is not told another. */
const ENVIRONMENT = "dev";

/** A broker that hangs is part of the run, and must not hold up whoever looks on. */
const REQUEST_TIMEOUT_MS = 3_000;
/** Longer than any fault and the recovery from it. */
const PUBLISH_TIMEOUT_MS = 120_000;
const STALL_TIMEOUT_MS = 120_000;
const POLL_MS = 250;

const RECORDS_PER_BATCH = 60;
/** With the batch's size 600 records a second: enough to be in the middle of something at any moment. */
const BATCH_INTERVAL_MS = 100;

export class Stage {
  readonly platform: Platform;
  readonly kafka: Kafka;
  readonly targets: Targets;
  readonly group = consumerGroup(ENVIRONMENT, PIPELINE);
  /** How many of the traffic's records Kafka has acknowledged: the first ones. */
  acknowledged = 0;
  readonly #publisher: RecordPublisher;
  readonly #store: Pick<CheckpointStore, "get">;

  private constructor(platform: Platform) {
    this.platform = platform;
    this.kafka = kafkaClient(platform.bootstrapServers, REQUEST_TIMEOUT_MS);
    this.targets = { service: serviceOf(platform), pipeline: PIPELINE, topic: TOPIC };
    this.#publisher = new RecordPublisher(this.kafka, new Map([[TOPIC, PARTITIONS]]));
    this.#store = checkpointStore(platform);
  }

  /** Calls `use` once every partition has its task; stops everything and leaves nothing behind, whatever happens. */
  static async with<T>(signal: AbortSignal, use: (stage: Stage) => Promise<T>): Promise<T> {
    const log = (line: string) => console.log(line);
    return withPlatform({ brokers: BROKERS.length, mappings: false, signal, log }, async (platform) => {
      const stage = new Stage(platform);
      // Other pipelines' services would only take time away from this one's.
      const others = platform.services.filter((name) => name !== stage.targets.service);
      await Promise.all(others.map((name) => stage.#scale(name, 0)));
      await stage.scale(PROCESSORS);
      await stage.#until(
        () => stage.#withProgress((progress) => progress.notTaken()),
        "the tasks are not taken",
      );
      try {
        return await use(stage);
      } finally {
        await stage.#mendLinks();
      }
    });
  }

  /** Resolves when the processes that are too many have stopped. */
  async scale(processors: number): Promise<void> {
    await this.#scale(this.targets.service, processors);
  }

  /** Sends traffic at a steady rate until `end`; slower while Kafka is away. Rejects where it is away for too long. */
  async feed(traffic: Traffic, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const startedAt = performance.now();
      await this.publish(traffic.take(RECORDS_PER_BATCH));
      this.acknowledged = traffic.count;
      const restMs = BATCH_INTERVAL_MS - (performance.now() - startedAt);
      if (restMs > 0) await delay(restMs, undefined, { signal: end }).catch(() => {});
    }
  }

  /** Resolves when Kafka has all records. */
  async publish(records: readonly InputRecord[]): Promise<void> {
    await this.#publisher.publish(records, PUBLISH_TIMEOUT_MS);
  }

  committed(): Promise<Committed> {
    return this.#withProgress((progress) => progress.committed());
  }

  ends(): Promise<EndOffsets> {
    return this.#withProgress((progress) => progress.ends());
  }

  /** What the tasks have committed. */
  manifests(): Promise<readonly Manifest[]> {
    return this.withAdmin((admin) => readManifests(this.#store, admin, this.group, TOPIC));
  }

  /** Resolves once these partitions' tasks have committed their whole log and owe no result of it. */
  async untilProcessed(partitions: readonly number[], what: string): Promise<void> {
    await this.#until(async () => {
      const [committed, ends] = [await this.committed(), await this.ends()];
      const left = partitions.reduce((sum, one) => sum + ends.get(one)! - (committed.get(one) ?? 0), 0);
      if (left > 0) return left;
      const manifests = (await this.manifests()).filter(({ partition }) => partitions.includes(partition));
      return manifests.filter(({ firing }) => firing).length;
    }, what);
  }

  /** A connection for once: one that broke in a fault is of no use after it. */
  async withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  #withProgress<T>(use: (progress: GroupProgress) => Promise<T>): Promise<T> {
    return this.withAdmin((admin) => use(new GroupProgress(admin, this.group, TOPIC)));
  }

  #until(remaining: () => Promise<number>, what: string): Promise<void> {
    const { signal } = this.platform;
    return untilNoneRemains(remaining, {
      what,
      intervalMs: POLL_MS,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      signal,
    });
  }

  /** Behind a link that hangs, processors would take their whole stop timeout to leave. */
  async #mendLinks(): Promise<void> {
    const control = new Control(this.platform.control.url, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
    // A platform that has ended has no links.
    await Promise.allSettled(LINKS.map((name) => control.post(`/links/${name}/restore`)));
  }

  async #scale(service: string, processes: number): Promise<void> {
    await this.platform.control.post(`/services/${encodeURIComponent(service)}/count?n=${processes}`);
  }
}

/** The service that runs the pipeline: the one of its name, else the one that pipelines share. */
function serviceOf({ services }: Platform): string {
  const service = services.find((name) => name.includes(PIPELINE)) ?? services[0];
  if (service === undefined) throw new Error("the local platform runs no service; there is nothing to break");
  return service;
}
