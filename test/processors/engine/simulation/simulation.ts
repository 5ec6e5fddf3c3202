/**
 * Runs the real worker on models of Kafka and of the checkpoint store, under faults drawn from a seed, and holds
 * everything that becomes visible against an undisturbed task over the same input.
 */
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import type { Clock, Observer } from "../../../../processors/engine/worker/ports.ts";
import { Worker } from "../../../../processors/engine/worker/worker.ts";
import { Client, type Cluster } from "./client-model.ts";
import { GroupModel } from "./group-model.ts";
import { InputModel } from "./input-model.ts";
import { Ledger, offsetOf } from "./ledger.ts";
import { type Damage, damage, SEEDS_PER_LOSS } from "./losses.ts";
import { definitionOf, kindOf } from "./pipeline.ts";
import { Process } from "./process.ts";
import { Reference } from "./reference.ts";
import { makeInput, PARTITIONS } from "./scenario.ts";
import { SERVICE, ServiceModel } from "./service-model.ts";
import { StoreModel } from "./store-model.ts";
import { TransactionModel } from "./transaction-model.ts";
import { World } from "./world.ts";

const FAULTS_END_MS = 8_000;
/** Longer than everything together that may hold a task up once faults have stopped. */
const GIVE_UP_MS = FAULTS_END_MS + 60_000;
const SETTLE_MS = 5_000;
/** Requests and deletes of the faulty time have taken effect by then. */
const LATEST_REQUEST_MS = 15_000;
const INPUT = "readings-in";
const DAY_MS = 86_400_000;
/** Small, so that a run meets every limit. */
const LIMITS = {
  checkpointIntervalMs: 100,
  maxPendingOutputBytes: 2_000,
  maxStepsPerSlice: 3,
  maxInputSkewMs: 3_600_000,
  maxWholeBytes: 1_500,
  maxDeltas: 3,
};

const taskOf = (partition: number): string => `sim/readings/${partition}`;
const transactionalIdOf = (partition: number): string => `sim-readings-${partition}`;

export interface Outcome {
  readonly problems: readonly string[];
  readonly crashes: number;
  readonly recoveries: Readonly<Record<string, number>>;
  /** Tasks that parked for a cause. */
  readonly parked: number;
}

interface Member {
  readonly process: Process;
  readonly worker: Worker;
}

export async function simulate(seed: number): Promise<Outcome> {
  return new Simulation(seed).run();
}

class Simulation {
  readonly #seed: number;
  readonly #world: World;
  readonly #definition: PipelineDefinition;
  readonly #cluster: Cluster;
  readonly #ledger: Ledger;
  readonly #service = new ServiceModel();
  readonly #servers: readonly string[];
  readonly #problems: string[] = [];
  readonly #recoveries: Record<string, number> = {};
  readonly #parked = new Set<number>();
  #everParked = 0;
  #damage: Damage | null = null;
  #members: Member[] = [];
  #wanted = PARTITIONS;
  #crashes = 0;
  #ids = 0;
  #clockAheadMs = 0;
  #isHalted = false;
  readonly #processes: Process[] = [];
  readonly #clients: Client[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    const world = new World(seed);
    this.#world = world;
    const kind = kindOf(seed);
    this.#definition = definitionOf(kind);
    this.#servers = kind.enriched ? [...SERVERS, SERVICE, SERVICE] : SERVERS;
    const records = makeInput(world);
    const references = records.map(
      (partition, index) => new Reference(kind, INPUT, index, PARTITIONS, partition),
    );
    const problem = (text: string) => void this.#problems.push(text);
    const input = new InputModel(world, INPUT, records);
    const isAtEnd = input.isAtEnd.bind(input);
    const wasGiven = this.#service.gave.bind(this.#service);
    const ledger = new Ledger({
      definition: this.#definition,
      references,
      taskOf,
      isAtEnd,
      wasGiven,
      problem,
    });
    this.#ledger = ledger;
    const store = new StoreModel(world, (slot) => ledger.registered(slot));
    ledger.observe(store);
    this.#cluster = {
      world,
      store,
      problem,
      input,
      group: new GroupModel(world, PARTITIONS),
      transactions: new TransactionModel(world, ledger),
    };
  }

  async run(): Promise<Outcome> {
    this.#startMissing();
    this.#scheduleFaults();
    await this.#until(GIVE_UP_MS, () => this.#world.nowMs > FAULTS_END_MS && this.#isDone());
    if (!this.#isDone()) this.#problems.push(`no progress after the faults stopped: ${this.#positions()}`);
    if (this.#problems.length === 0) await this.#afterwards();
    const problems = [...this.#problems];
    for (const process of this.#processes) process.kill();
    for (const client of this.#clients) client.end();
    return {
      problems,
      crashes: this.#crashes,
      recoveries: this.#recoveries,
      parked: this.#everParked,
    };
  }

  /** Checks of the end, each of which not every seed needs. */
  async #afterwards(): Promise<void> {
    // A request that was late may have put back what was lost.
    const repair = this.#parked.size > 0 ? this.#damage?.repair : null;
    if (repair) await this.#repair(repair);
    for (const partition of this.#healthy()) this.#ledger.compareWhole(partition);
    if (this.#parked.size > 0) return;
    if (this.#seed % 8 === 1) await this.#spendADay();
    if (this.#seed % 4 === 2) await this.#takeAnew();
  }

  #until(untilMs: number, done: () => boolean): Promise<void> {
    return this.#world.run(untilMs, () => this.#problems.length > 0 || done());
  }

  #startMissing(): void {
    while (!this.#isHalted && this.#members.length < this.#wanted) this.#start();
  }

  #start(): void {
    const process = new Process(this.#world, { strike: (struck) => this.#strike(struck) });
    this.#processes.push(process);
    const client = new Client(process, this.#cluster);
    this.#clients.push(client);
    const context = {
      log: client.log,
      store: client.store,
      clock: this.#clockOf(process),
      newId: () => String(this.#ids++),
      observer: this.#observerOf(client),
      ask: this.#service.for(process),
      environment: "sim",
      definition: this.#definition,
      owner: "sim",
    };
    const worker = new Worker(context, { onCrash: () => this.#crash(process) }, LIMITS);
    this.#members.push({ process, worker });
    // What cannot join ends, and is started again.
    worker.start().catch(() => this.#crash(process));
  }

  #observerOf(client: Client): Observer {
    return {
      recovered: ({ step }) => {
        this.#recoveries[step] = (this.#recoveries[step] ?? 0) + 1;
      },
      checkpointed: () => undefined,
      parked: ({ partition }, code, message) => {
        if (!this.#parked.has(partition)) this.#everParked += 1;
        this.#parked.add(partition);
        const isCause = (hit: Damage | null) =>
          hit?.code === code && (hit.partition === null || hit.partition === partition);
        if (!isCause(this.#damage)) this.#problems.push(`task ${partition} parked: ${code} ${message}`);
      },
      dropped: ({ partition }, reason) => {
        if (client.hasCauseToDrop(taskOf(partition), transactionalIdOf(partition))) return;
        this.#problems.push(`task ${partition} was dropped without a cause: ${reason}`);
      },
      retried: () => undefined,
      failed: ({ partition }, error) => this.#problems.push(`task ${partition} failed: ${error.stack}`),
    };
  }

  #clockOf(process: Process): Clock {
    const world = this.#world;
    return {
      nowMs: () => world.nowMs + this.#clockAheadMs,
      epochMs: () => world.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          world.after(ms, () => process.deliver(resolve));
          signal.addEventListener("abort", () => resolve(), { once: true });
        }),
      // Slower than batches come at times, so that they queue.
      yield: () =>
        new Promise((resolve) => world.after(world.between(0, 60), () => process.deliver(resolve))),
    };
  }

  #scheduleFaults(): void {
    const world = this.#world;
    for (let atMs = 200; atMs < FAULTS_END_MS; atMs += world.between(100, 1_400)) {
      world.after(atMs, () => this.#fault());
    }
    if (this.#seed % SEEDS_PER_LOSS === 0) world.after(world.between(2_000, 6_000), () => this.#lose());
    world.after(FAULTS_END_MS, () => {
      world.faults = false;
      this.#wanted = PARTITIONS;
      this.#startMissing();
    });
  }

  #fault(): void {
    const world = this.#world;
    const member = world.pick(this.#members);
    const kind = world.random();
    if (kind < 0.2) this.#steal(world.between(0, PARTITIONS - 1));
    else if (kind < 0.27) this.#cluster.group.rebalance();
    else if (kind < 0.32) this.#storm();
    else if (kind < 0.44) world.takeAway(world.pick(this.#servers), world.between(100, 3_000));
    else if (member === undefined) return;
    else if (kind < 0.56) member.process.cutOff("group", world.between(800, 3_000));
    else if (kind < 0.65) member.process.cutOff(world.pick(this.#servers), world.between(300, 3_000));
    else if (kind < 0.75) this.#scale(member);
    else if (kind < 0.9) this.#crash(member.process);
    else this.#suspend(member.process);
  }

  /** One rebalance after the other, as when many members come and go. */
  #storm(): void {
    for (let round = 0; round < 6; round++) {
      this.#world.after(round * this.#world.between(50, 300), () => this.#cluster.group.rebalance());
    }
  }

  #strike(process: Process): void {
    if (this.#world.random() < 0.4) this.#crash(process);
    else this.#suspend(process);
  }

  #crash(process: Process): void {
    if (!process.alive) return;
    this.#crashes += 1;
    process.kill();
    this.#members = this.#members.filter((member) => member.process !== process);
    this.#world.after(this.#world.between(10, 2_000), () => this.#startMissing());
  }

  /** Mostly longer than the session timeout: it comes back as a zombie that believes it still owns its tasks. */
  #suspend(process: Process): void {
    if (!process.running) return;
    process.suspend();
    this.#world.after(this.#world.between(300, 3_500), () => process.resume());
  }

  /** What a zombie does that wakes up in the middle of taking a task: it claims, fences, and is not the owner. */
  #steal(partition: number): void {
    const zombie = new Process(this.#world, { strike: () => undefined });
    const { store, transactions } = this.#cluster;
    const log = () => zombie.call("transactions", () => transactions.fence(transactionalIdOf(partition)));
    store
      .for(zombie)
      .claim(taskOf(partition), "zombie")
      .then(log)
      .catch(() => undefined);
  }

  /** Another number of members: some stop in good order, last checkpoints first. */
  #scale(member: Member): void {
    this.#wanted = this.#world.between(1, 4);
    this.#startMissing();
    if (this.#members.length <= this.#wanted) return;
    const { process, worker } = member;
    this.#members = this.#members.filter((other) => other !== member);
    const end = () => process.kill();
    if (process.running) worker.finish().then(end, end);
    else end();
    this.#world.after(this.#world.between(1_000, 3_000), end);
  }

  /** Everything stops, something is lost for good, and everything starts again. */
  #lose(): void {
    this.#isHalted = true;
    for (const process of this.#processes) this.#crash(process);
    this.#world.after(2_500, () => {
      const { input } = this.#cluster;
      const first = this.#world.between(0, PARTITIONS - 1);
      for (const partition of [...input.partitions.slice(first), ...input.partitions.slice(0, first)]) {
        const target = { cluster: this.#cluster, ledger: this.#ledger, partition, task: taskOf(partition) };
        this.#damage ??= damage(target, Math.floor(this.#seed / SEEDS_PER_LOSS));
      }
      this.#isHalted = false;
      this.#startMissing();
    });
  }

  /** What was lost is put back: at the next rebalance the task that had parked goes on. */
  async #repair(repair: () => void): Promise<void> {
    repair();
    this.#damage = null;
    this.#parked.clear();
    this.#cluster.group.rebalance();
    await this.#until(this.#world.nowMs + GIVE_UP_MS, () => this.#isDone());
    if (!this.#isDone()) this.#problems.push(`no progress after a repair: ${this.#positions()}`);
  }

  /** A day without a record: offsets would expire, so every task commits once more, also where it moves meanwhile. */
  async #spendADay(): Promise<void> {
    const before = this.#healthy().map((partition) => this.#ledger.committedOf(partition).length);
    this.#clockAheadMs += DAY_MS / 2;
    if (this.#seed % 16 === 1) {
      for (const process of this.#processes) this.#crash(process);
      await this.#until(this.#world.nowMs + SETTLE_MS, () => false);
    }
    this.#clockAheadMs += DAY_MS / 2;
    await this.#until(this.#world.nowMs + SETTLE_MS, () => false);
    for (const [index, partition] of this.#healthy().entries()) {
      const { length } = this.#ledger.committedOf(partition);
      if (length <= before[index]!) this.#problems.push(`task ${partition} commits nothing while it is idle`);
    }
  }

  /** New owners leave nothing behind of those before them. */
  async #takeAnew(): Promise<void> {
    await this.#until(this.#world.nowMs + LATEST_REQUEST_MS, () => false);
    for (const process of this.#processes) this.#crash(process);
    await this.#until(this.#world.nowMs + SETTLE_MS, () => false);
    for (const partition of this.#healthy()) {
      const left = this.#ledger.leftOvers(partition);
      if (left.length > 0) this.#problems.push(`task ${partition} leaves ${left.length} blobs: ${left[0]}`);
    }
  }

  #healthy(): number[] {
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    return all.filter((partition) => !this.#parked.has(partition));
  }

  #isDone(): boolean {
    return this.#cluster.input.partitions.every(
      (partition) => this.#parked.has(partition) || this.#isRead(partition),
    );
  }

  #isRead(partition: number): boolean {
    const { input } = this.#cluster;
    const last = this.#ledger.lastOf(partition);
    return last !== undefined && !last.firing && offsetOf(last) === input.endOf(partition);
  }

  #positions(): string {
    const positions = Array.from({ length: PARTITIONS }, (_, partition) => {
      const last = this.#ledger.lastOf(partition);
      const reached = last === undefined ? "nowhere" : offsetOf(last);
      return `${reached}${last?.firing ? " (firing)" : ""}/${this.#cluster.input.endOf(partition)}`;
    });
    return positions.join(" ");
  }
}

const SERVERS = ["table", "bucket", "group", "transactions", "offsets", "brokers", "leader/0", "leader/1"];
