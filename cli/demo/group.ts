/** A consumer group's progress through a topic. */
import type { Admin } from "kafkajs";
import { type EndOffsets, endOffsets } from "./topic-reader.ts";

/** The next offset to read per partition; 0 where nothing is committed yet (the topics are new). */
export type Committed = ReadonlyMap<number, number>;

export class GroupProgress {
  readonly #admin: Admin;
  readonly #group: string;
  readonly #topic: string;

  constructor(admin: Admin, group: string, topic: string) {
    this.#admin = admin;
    this.#group = group;
    this.#topic = topic;
  }

  async committed(): Promise<Committed> {
    const [entry] = await this.#admin.fetchOffsets({ groupId: this.#group, topics: [this.#topic] });
    return new Map(
      entry!.partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]),
    );
  }

  /** Partitions that no task has taken yet: taking one commits its start. */
  async notTaken(): Promise<number> {
    const [entry] = await this.#admin.fetchOffsets({ groupId: this.#group, topics: [this.#topic] });
    return entry!.partitions.filter(({ offset }) => Number(offset) < 0).length;
  }

  ends(): Promise<EndOffsets> {
    return endOffsets(this.#admin, this.#topic);
  }

  /** Records that are in the log and not committed. In health this is what one checkpoint interval brings. */
  async lag(): Promise<number> {
    const [committed, ends] = [await this.committed(), await this.ends()];
    return behind(committed, ends);
  }
}

/** How many records the group still has to commit to reach `ends`. */
export function behind(committed: Committed, ends: EndOffsets): number {
  let records = 0;
  for (const [partition, end] of ends) records += Math.max(0, end - (committed.get(partition) ?? 0));
  return records;
}

const SAMPLE_INTERVAL_MS = 1_000;

/** The group's lag, asked for every second. */
export class LagSampler {
  /** Undefined until the first answer, and while Kafka cannot be asked. */
  latest: number | undefined;
  readonly #group: GroupProgress;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(group: GroupProgress) {
    this.#group = group;
    void this.#sample();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #sample(): Promise<void> {
    this.latest = await this.#group.lag().catch(() => undefined);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#sample(), SAMPLE_INTERVAL_MS);
  }
}
