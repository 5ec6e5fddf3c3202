/**
 * Runs the real worker on models of Kafka and of the checkpoint store, under faults drawn from a seed, and holds
 * what was committed against one undisturbed task over the same input.
 */
import { keyHash } from "../../../../contracts/partitioning.ts";
import { committedManifest } from "../../../../processors/engine/checkpoint/inspect.ts";
import type { OutputRecord } from "../../../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { hopping, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import type { Observer } from "../../../../processors/engine/worker/ports.ts";
import { Worker } from "../../../../processors/engine/worker/worker.ts";
import { batchOf, type TestRecord } from "../../../support/records.ts";
import { readings, watermark } from "../task-fixture.ts";
import { KafkaModel, SESSION_TIMEOUT_MS } from "./kafka-model.ts";
import { StoreModel } from "./store-model.ts";
import { Process, World } from "./world.ts";

const PARTITIONS = 3;
const RECORDS = 250;
const FAULTS_END_MS = 8_000;
const GIVE_UP_MS = 120_000;
const SETTLE_MS = 3_000;
const INPUT = "readings-in";

export interface Outcome {
  readonly problems: readonly string[];
  readonly crashes: number;
  readonly recoveries: Readonly<Record<string, number>>;
}

interface Member {
  readonly process: Process;
  readonly worker: Worker;
}

export async function simulate(seed: number): Promise<Outcome> {
  return new Simulation(seed).run();
}

class Simulation {
  readonly #world: World;
  readonly #definition: PipelineDefinition;
  readonly #input: readonly (readonly TestRecord[])[];
  readonly #kafka: KafkaModel;
  readonly #store = new StoreModel();
  readonly #problems: string[] = [];
  readonly #recoveries: Record<string, number> = {};
  #members: Member[] = [];
  #crashes = 0;
  #ids = 0;

  constructor(seed: number) {
    this.#world = new World(seed);
    const window = seed % 2 === 0 ? tumbling({ sizeMs: 10 }) : hopping({ sizeMs: 20, advanceMs: 10 });
    this.#definition = readings({ outOfOrderMs: 5, allowedLatenessMs: 4, window });
    this.#input = makeInput(this.#world);
    this.#kafka = new KafkaModel(this.#world, INPUT, this.#input);
  }

  async run(): Promise<Outcome> {
    for (let i = 0; i < 3; i++) this.#start();
    this.#scheduleFaults();
    await this.#world.run(GIVE_UP_MS, () => this.#world.nowMs > FAULTS_END_MS && this.#allRead());
    // A committed offset does not say that the firing it caused has ended, so the last one gets its time.
    await this.#world.run(this.#world.nowMs + SETTLE_MS, () => false);
    if (!this.#allRead()) this.#problems.push(`no progress after the faults stopped: ${this.#positions()}`);
    this.#compare();
    await this.#compareManifests();
    for (const { process } of this.#members) process.kill();
    return { problems: this.#problems, crashes: this.#crashes, recoveries: this.#recoveries };
  }

  #start(): void {
    const process = new Process(this.#world);
    const observer: Observer = {
      recovered: ({ step }) => {
        this.#recoveries[step] = (this.#recoveries[step] ?? 0) + 1;
      },
      checkpointed: () => undefined,
      parked: (task, code, message) =>
        this.#problems.push(`task ${task.partition} parked: ${code} ${message}`),
      dropped: () => undefined,
      retried: () => undefined,
      failed: (task, error) => this.#problems.push(`task ${task.partition} failed: ${error.stack}`),
    };
    const clock = {
      nowMs: () => this.#world.nowMs,
      sleep: (ms: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          this.#world.after(ms, () => process.deliver(resolve));
          signal.addEventListener("abort", () => resolve(), { once: true });
        }),
      // Slower than batches come at times, so that they queue.
      yield: () =>
        new Promise<void>((resolve) =>
          this.#world.after(this.#world.between(0, 60), () => process.deliver(resolve)),
        ),
    };
    const context = {
      log: this.#kafka.for(process),
      store: this.#store.for(process),
      clock,
      newId: () => String(this.#ids++),
      observer,
      environment: "sim",
      definition: this.#definition,
      owner: "sim",
    };
    const worker = new Worker(
      context,
      { onCrash: () => undefined },
      {
        checkpointIntervalMs: 100,
        maxPendingOutputBytes: 2_000,
        maxStepsPerSlice: 3,
      },
    );
    this.#members.push({ process, worker });
    void worker.start().then(() => this.#kafka.remember(process));
  }

  #scheduleFaults(): void {
    const { random } = this.#world;
    for (let atMs = 200; atMs < FAULTS_END_MS; atMs += this.#world.between(100, 900)) {
      const kind = random();
      const index = Math.floor(random() * PARTITIONS);
      this.#world.after(atMs, () => {
        if (kind < 0.5) this.#crash(index);
        else if (kind < 0.75) this.#suspend(index);
        else if (kind < 0.85) this.#finish(index);
        else if (kind < 0.95) this.#steal(index);
        else this.#kafka.rebalance();
      });
    }
    this.#world.after(FAULTS_END_MS, () => {
      this.#world.faults = false;
    });
  }

  #crash(index: number): void {
    const [member] = this.#members.splice(index, 1);
    if (member === undefined) return;
    this.#crashes += 1;
    member.process.kill();
    this.#world.after(SESSION_TIMEOUT_MS, () => this.#kafka.evict(member.process));
    this.#world.after(this.#world.between(10, 2_000), () => this.#start());
  }

  /** Longer than the session timeout: it comes back as a zombie that believes it still owns its tasks. */
  #suspend(index: number): void {
    const member = this.#members[index];
    if (member === undefined || !member.process.running) return;
    member.process.suspend();
    this.#world.after(SESSION_TIMEOUT_MS, () => this.#kafka.evict(member.process));
    this.#world.after(SESSION_TIMEOUT_MS + this.#world.between(1, 1_500), () => {
      member.process.resume();
      const processes = this.#members.map(({ process }) => process);
      this.#world.after(this.#world.between(1, 300), () => this.#kafka.rejoin(member.process, processes));
    });
  }

  /** What a zombie does that wakes up in the middle of taking a task: it claims, fences, and is not the owner. */
  #steal(partition: number): void {
    const zombie = new Process(this.#world);
    const store = this.#store.for(zombie);
    const log = this.#kafka.for(zombie);
    void store
      .claim(`sim/readings/${partition}`, "zombie")
      .then(() => log.fence(`sim-readings-${partition}`, "sim-readings"))
      .catch(() => undefined);
  }

  /** A graceful stop: last checkpoints, then out of the group; another process takes its place. */
  #finish(index: number): void {
    const [member] = this.#members.splice(index, 1);
    if (member === undefined) return;
    if (!member.process.running) {
      this.#crashMember(member);
      return;
    }
    void member.worker.finish().then(() => member.process.kill());
    this.#world.after(SESSION_TIMEOUT_MS * 3, () => this.#crashMember(member));
    this.#world.after(this.#world.between(10, 500), () => this.#start());
  }

  #crashMember(member: Member): void {
    member.process.kill();
    this.#kafka.evict(member.process);
    if (this.#members.length < 3) this.#start();
  }

  #allRead(): boolean {
    return this.#input.every(
      (records, partition) => this.#kafka.committedOffset(partition) === records.length,
    );
  }

  #positions(): string {
    return this.#input.map((records, p) => `${this.#kafka.committedOffset(p)}/${records.length}`).join(" ");
  }

  #compare(): void {
    const committed = this.#kafka.committed;
    this.#input.forEach((records, partition) => {
      const expected = undisturbed(this.#definition, records, partition).map(withoutVersion);
      const actual = committed.filter((output) => homeOf(output) === partition).map(withoutVersion);
      if (JSON.stringify(actual) === JSON.stringify(expected)) return;
      const wrong = actual.findIndex((line, index) => line !== expected[index]);
      this.#problems.push(
        `partition ${partition}: ${actual.length} outputs, expected ${expected.length}; ` +
          `first difference at ${wrong}: ${actual[wrong]} instead of ${expected[wrong]}`,
      );
    });
    const committedBytes = new Set(committed.map(exactly));
    const unseen = this.#kafka.written.find((output) => !committedBytes.has(exactly(output)));
    if (unseen !== undefined)
      this.#problems.push(`written but never committed as it was: ${exactly(unseen)}`);
  }

  /** Tools wait until no task owes results, so the last manifest must say so. */
  async #compareManifests(): Promise<void> {
    const store = { get: async (name: string) => this.#store.blobs.get(name) ?? null };
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { firing } = await committedManifest(store, this.#kafka.committedMetadata(partition));
      if (firing) this.#problems.push(`partition ${partition}: the last manifest says that a firing goes on`);
    }
  }
}

/** Keys of each partition, found by hashing. */
const keysOf = Array.from({ length: PARTITIONS }, (_, partition) =>
  Array.from({ length: 60 }, (_, index) => `k${index}`).filter(
    (key) => keyHash(new TextEncoder().encode(key)) % PARTITIONS === partition,
  ),
);

function makeInput(world: World): TestRecord[][] {
  return keysOf.map((keys) => {
    const records: TestRecord[] = [];
    for (let offset = 0; offset < RECORDS; offset++) {
      const id = `e${world.between(0, Math.floor(offset * 0.95) + 1)}`;
      const t = Math.floor(offset / 3) + world.between(-12, 3);
      const key = keys[world.between(0, Math.min(4, keys.length - 1))]!;
      const value =
        world.random() < 0.02 ? "not json" : JSON.stringify({ id, key, t, v: world.between(-9, 99) });
      records.push({ offset, key, value });
    }
    records.push(watermark(RECORDS, 10_000));
    return records;
  });
}

function undisturbed(
  definition: PipelineDefinition,
  records: readonly TestRecord[],
  partition: number,
): OutputRecord[] {
  const task = new Task({
    definition,
    partition,
    partitions: PARTITIONS,
    generation: 1,
    nextCheckpoint: 1,
    state: emptyState(definition, [0]),
  });
  const batch = batchOf({ topic: INPUT, partition }, records);
  let next = 0;
  while (next < batch.count || task.firing) {
    if (task.firing) task.fire(1_000);
    else next = task.apply(batch, next, 1_000);
  }
  return [...task.cut().outputs];
}

const homeOf = ({ key }: OutputRecord): number => (key === null ? -1 : keyHash(key) % PARTITIONS);

const exactly = ({ topic, key, value, headers }: OutputRecord): string => {
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));
  return JSON.stringify([topic, text(key), text(value), headers]);
};

const withoutVersion = (output: OutputRecord): string =>
  exactly(output).replace(/,\\"version\\":\{[^}]*\}/, "");
