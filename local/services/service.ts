import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../processes/child.ts";
import { taskMetadata } from "../zones.ts";
import type { ImageProcess } from "./image.ts";

/** V8's heap gets this share of the task's memory; the rest is for buffers and the runtime. */
const HEAP_SHARE = 0.75;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;
/** A process that ran this long was not in a crash loop: the next restart is quick again. */
const STEADY_MS = 10_000;

export interface ServiceDefinition {
  readonly name: string;
  readonly image: ImageProcess;
  readonly environment: Readonly<Record<string, string>>;
  readonly desiredCount: number;
  readonly memoryMb: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
}

export interface ServiceLogs {
  /** Log file of the process with an index. */
  readonly logFile: (index: number) => string;
  readonly verbose: boolean;
  readonly say: (line: string) => void;
}

interface Slot {
  child: Child;
  restarts: number;
  paused: boolean;
  readonly abort: AbortController;
  /** Resolves when the slot is stopped and its process gone. */
  finished: Promise<void>;
}

export interface ServiceProcessState {
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly running: boolean;
  readonly paused: boolean;
}

/** An ECS service: keeps its desired count of processes running, each in a numbered slot. */
export class Service {
  readonly definition: ServiceDefinition;
  readonly #logs: ServiceLogs;
  readonly #slots: Slot[] = [];

  constructor(definition: ServiceDefinition, logs: ServiceLogs) {
    this.definition = definition;
    this.#logs = logs;
  }

  get processes(): ServiceProcessState[] {
    return this.#slots.map(({ child, restarts, paused }) => ({
      pid: child.running ? child.pid : undefined,
      restarts,
      running: child.running,
      paused,
    }));
  }

  start(): void {
    void this.scale(this.definition.desiredCount);
  }

  /** Starts missing processes, and resolves once those too many have stopped. The last ones go first. */
  async scale(count: number): Promise<void> {
    while (this.#slots.length < count) this.#slots.push(this.#open(this.#slots.length));
    await Promise.all(this.#slots.splice(count).map((slot) => this.#close(slot)));
  }

  async stop(): Promise<void> {
    await this.scale(0);
  }

  /** SIGKILL, as when a host fails. The slot starts another one. False where there is no such process. */
  kill(index: number): boolean {
    return this.#signal(index, "SIGKILL");
  }

  /** SIGSTOP: a process that hangs, and whose session times out. */
  pause(index: number): boolean {
    const slot = this.#slots[index];
    if (slot !== undefined) slot.paused = true;
    return this.#signal(index, "SIGSTOP");
  }

  continue(index: number): boolean {
    const slot = this.#slots[index];
    if (slot !== undefined) slot.paused = false;
    return this.#signal(index, "SIGCONT");
  }

  #signal(index: number, signal: NodeJS.Signals): boolean {
    const child = this.#slots[index]?.child;
    if (!child?.running) return false;
    child.signal(signal);
    return true;
  }

  #open(index: number): Slot {
    const slot: Slot = {
      child: this.#spawn(index),
      restarts: 0,
      paused: false,
      abort: new AbortController(),
      finished: Promise.resolve(),
    };
    slot.finished = this.#keep(slot, index);
    return slot;
  }

  async #close(slot: Slot): Promise<void> {
    slot.abort.abort();
    await slot.child.stop(this.definition.stopTimeoutMs);
    await slot.finished;
  }

  /** Restarts the slot's process whenever it ends, as ECS does whatever its exit code was. */
  async #keep(slot: Slot, index: number): Promise<void> {
    const { signal } = slot.abort;
    let backoffMs = FIRST_BACKOFF_MS;
    for (;;) {
      const startedMs = Date.now();
      const exit = await slot.child.exited;
      if (signal.aborted) return;
      if (Date.now() - startedMs > STEADY_MS) backoffMs = FIRST_BACKOFF_MS;
      this.#logs.say(
        `${this.definition.name}[${index}] ended (${exit.signal ?? exit.code}); restarting in ${backoffMs} ms. Log: ${this.#logs.logFile(index)}`,
      );
      try {
        await sleep(backoffMs, undefined, { signal });
      } catch {
        return;
      }
      backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS);
      slot.child = this.#spawn(index);
      slot.paused = false;
      slot.restarts++;
    }
  }

  #spawn(index: number): Child {
    const { name, image, environment, memoryMb } = this.definition;
    return new Child({
      name: `${name}[${index}]`,
      command: image.command,
      args: [`--max-old-space-size=${Math.floor(memoryMb * HEAP_SHARE)}`, ...image.args],
      environment: {
        ...image.environment,
        ...taskMetadata(environment.AWS_REGION ?? "", index),
        ...environment,
      },
      directory: image.directory,
      logFile: this.#logs.logFile(index),
      verbose: this.#logs.verbose,
    });
  }
}
