/** Processes under measurement: what they use, by /proc, and that none outlives the benchmark. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const KEPT_LINES = 15;
const STOP_TIMEOUT_MS = 30_000;
/** Of /proc/<pid>/stat; Linux tells user space 100 on every architecture (proc(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1_024;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<BenchProcess>();

/** Ends whatever is left, at once. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map((each) => each.kill()));
}

/** Aborted by Ctrl-C or SIGTERM, which also end whatever is being measured; the benchmark then cleans up and ends. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stopping.abort(new Error(`stopped by ${signal}`));
      void killAll();
    });
  }
  return stopping.signal;
}

export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  readonly #lastLines: string[] = [];
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<void>;
  #peakRssMib = 0;

  /** @param onLine called with each line of its output; errors are kept for {@link BenchProcess.failure} */
  constructor({ command, args, env }: Command, onLine: (line: string) => void = () => undefined) {
    // The kernel kills it with the benchmark, should that end without stopping it.
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    createInterface({ input: this.#child.stdout! }).on("line", onLine);
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.#lastLines.push(line.slice(0, 500));
      if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    });
    running.add(this);
    this.ended = new Promise<void>((resolve) => {
      this.#child.on("error", () => resolve());
      this.#child.on("close", () => resolve());
    }).then(() => void running.delete(this));
  }

  get wallS(): number {
    return (performance.now() - this.#startedMs) / 1_000;
  }

  /** The most memory that was resident whenever {@link BenchProcess.cpuS} was read. */
  get peakRssMib(): number {
    return this.#peakRssMib;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  get hasSucceeded(): boolean {
    return this.#child.exitCode === 0;
  }

  get failure(): string {
    const how = this.#child.signalCode ?? `status ${this.#child.exitCode}`;
    return `${this.#child.spawnargs.slice(4, 6).join(" ")} … ended with ${how}:\n${this.#lastLines.join("\n")}`;
  }

  /** Processor time of all threads so far, user's and system's. Throws where the process has ended. */
  cpuS(): number {
    if (this.hasEnded) throw new Error(this.failure);
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    // The name, in parentheses, may hold spaces; after it the fields from the third on (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    const peakKib = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    this.#peakRssMib = Math.max(this.#peakRssMib, peakKib / KIB_PER_MIB);
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** SIGTERM, so that no transaction stays open; SIGKILL where that takes too long. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const waited = new AbortController();
    await Promise.race([
      this.ended,
      delay(STOP_TIMEOUT_MS, undefined, { signal: waited.signal }).catch(() => undefined),
    ]);
    waited.abort();
    await this.kill();
  }

  async kill(): Promise<void> {
    if (!this.hasEnded) this.#child.kill("SIGKILL");
    await this.ended;
  }
}
