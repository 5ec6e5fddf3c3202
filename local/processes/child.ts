import { type ChildProcess, type Serializable, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { StartError } from "../errors.ts";

export interface ChildOptions {
  /** For messages and the log file's prefix. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited but what {@link baseEnvironment} gives. */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly logFile: string;
  /** Also prints every line to stderr, prefixed with the name. */
  readonly verbose: boolean;
  /** Opens a channel for structured messages (Node children only). */
  readonly channel?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The end of a log is all a failed start leaves: its directory goes with the run. */
const LOG_TAIL_LINES = 20;

/** What programs need to start at all, and nothing that could configure them. */
export function baseEnvironment(): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin" } = process.env;
  return { PATH, LANG: "C.UTF-8", TZ: "UTC" };
}

/**
 * A child process that the kernel kills when this process dies, however it dies: setpriv sets the parent-death
 * signal and then becomes the command, so that the pid is the command's own. It works for Java, for the Rust
 * emulator and for a stopped process alike, which a watched pipe would not.
 */
export class Child {
  readonly name: string;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #logFile: string;
  #exit: Exit | undefined;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, "a");
    const output = options.verbose ? "pipe" : log;
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", "--", options.command, ...options.args], {
      cwd: options.directory,
      env: { ...baseEnvironment(), ...options.environment },
      stdio: ["ignore", output, output, ...(options.channel ? (["ipc"] as const) : [])],
      serialization: "advanced",
      // A session of its own: Ctrl-C in a terminal goes to every process of the foreground group, and would end
      // services at once that are to be stopped in order.
      detached: true,
    });
    closeSync(log);
    if (options.verbose) this.#echo();
    this.exited = new Promise((resolve) => {
      const finish = (exit: Exit): void => {
        this.#exit = exit;
        resolve(exit);
      };
      this.#process.once("exit", (code, signal) => finish({ code, signal }));
      this.#process.once("error", () => finish({ code: null, signal: null }));
    });
  }

  /** Undefined where the command could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  send(message: Serializable): void {
    // A child that is gone is noticed by its exit; the callback keeps the failed send from being thrown.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  onMessage(listener: (message: Serializable) => void): void {
    this.#process.on("message", listener);
  }

  /** SIGTERM, then SIGKILL after `graceMs`. A stopped process is continued, else it could not act on SIGTERM. */
  async stop(graceMs: number): Promise<Exit> {
    this.signal("SIGTERM");
    this.signal("SIGCONT");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  async kill(): Promise<Exit> {
    this.signal("SIGKILL");
    return this.exited;
  }

  /** Rejects when the child exits: for the wait until it is up. */
  async failOnExit(): Promise<never> {
    const { code, signal } = await this.exited;
    const log = readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
    throw new StartError(
      `${this.name} exited (${signal ?? code}) before it was ready. The end of its log:\n${log}`,
    );
  }

  #echo(): void {
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (!(stream instanceof Readable)) continue;
      createInterface({ input: stream }).on("line", (line) => {
        process.stderr.write(`${this.name} | ${line}\n`);
      });
    }
  }
}
