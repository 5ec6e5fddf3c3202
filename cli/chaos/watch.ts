/** Watches how the group gets on: which partitions stand still, for how long. */
import type { Admin, Kafka } from "kafkajs";
import { GroupProgress } from "../demo/group.ts";

const SAMPLE_INTERVAL_MS = 250;
/** Tasks commit once a second; a partition that has records to read and commits none for this long stands still. */
const STANDSTILL_MS = 3_000;

export interface Standstills {
  /** How long each lasted, in milliseconds. */
  readonly durationsMs: readonly number[];
  /** In which no partition committed anything, though records waited. */
  readonly withoutProgressMs: number;
}

interface Position {
  offset: number;
  /** When it was reached, or when there was nothing left to read. */
  sinceMs: number;
}

export class Watch {
  readonly #kafka: Kafka;
  readonly #group: string;
  readonly #topic: string;
  readonly #positions = new Map<number, Position>();
  readonly #durationsMs: number[] = [];
  #withoutProgressMs = 0;
  #progressedMs = performance.now();
  #stopped = false;
  #admin: Admin | undefined;
  readonly #ended: Promise<void>;

  constructor(kafka: Kafka, group: string, topic: string) {
    this.#kafka = kafka;
    this.#group = group;
    this.#topic = topic;
    this.#ended = this.#run();
  }

  async stop(): Promise<Standstills> {
    this.#stopped = true;
    await this.#ended;
    return { durationsMs: this.#durationsMs, withoutProgressMs: this.#withoutProgressMs };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // A broker that is away cannot be asked; what stood still meanwhile shows when it is back.
      await this.#sample().catch(() => this.#disconnect());
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL_MS));
    }
    await this.#disconnect();
  }

  async #sample(): Promise<void> {
    if (this.#admin === undefined) {
      this.#admin = this.#kafka.admin();
      await this.#admin.connect();
    }
    const progress = new GroupProgress(this.#admin, this.#group, this.#topic);
    const [committed, ends] = [await progress.committed(), await progress.ends()];
    const nowMs = performance.now();
    let anyAdvanced = false;
    for (const [partition, end] of ends) {
      if (this.#advanced(partition, committed.get(partition) ?? 0, end, nowMs)) anyAdvanced = true;
    }
    if (!anyAdvanced) return;
    const stoodMs = nowMs - this.#progressedMs;
    if (stoodMs > STANDSTILL_MS) this.#withoutProgressMs += stoodMs;
    this.#progressedMs = nowMs;
  }

  /** Whether the partition has committed something since the sample before, or had nothing to commit. */
  #advanced(partition: number, offset: number, end: number, nowMs: number): boolean {
    const position = this.#positions.get(partition) ?? { offset, sinceMs: nowMs };
    this.#positions.set(partition, position);
    if (offset === position.offset && offset < end) return false;
    const stoodMs = nowMs - position.sinceMs;
    if (offset !== position.offset && stoodMs > STANDSTILL_MS) this.#durationsMs.push(stoodMs);
    position.offset = offset;
    position.sinceMs = nowMs;
    return true;
  }

  async #disconnect(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.disconnect().catch(() => {});
  }
}
