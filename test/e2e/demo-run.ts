/** `spillway demo` in a process of its own, as a user starts it, while a test breaks things under it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { rootPath } from "../../cli/platform/synthesize.ts";
import { LocalControl } from "./local-control.ts";

interface Waiting {
  readonly pattern: RegExp;
  readonly found: (match: RegExpExecArray) => void;
  readonly ended: (error: Error) => void;
}

export class DemoRun {
  readonly #process;
  readonly #lines: string[] = [];
  readonly #waiting: Waiting[] = [];
  /** Its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(...args: readonly string[]) {
    // The kernel asks it to stop if the test's process dies, so that nothing it started stays behind.
    const command = [
      "--pdeathsig",
      "TERM",
      "--",
      process.execPath,
      join(rootPath, "cli/spillway.mjs"),
      "demo",
    ];
    this.#process = spawn("setpriv", [...command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    for (const input of [this.#process.stdout, this.#process.stderr]) {
      createInterface({ input }).on("line", (line) => this.#take(line));
    }
    this.ended = once(this.#process, "close").then(([code]) => {
      for (const { pattern, ended } of this.#waiting)
        ended(new Error(`no line ${pattern} in:\n${this.said}`));
      return code as number | null;
    });
  }

  /** Everything it has printed. */
  get said(): string {
    return this.#lines.join("\n");
  }

  /** The first line that matches, once it is there. Rejects when the run ends without one. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    for (const line of this.#lines) {
      const match = pattern.exec(line);
      if (match) return Promise.resolve(match);
    }
    return new Promise((found, ended) => this.#waiting.push({ pattern, found, ended }));
  }

  /** Resolves as soon as the platform is up. */
  async control(): Promise<LocalControl> {
    const [, url] = await this.line(/Control: (http\S+)\/state/);
    return new LocalControl(url!);
  }

  /** Stops it where it still runs. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill("SIGTERM");
    await this.ended;
  }

  #take(line: string): void {
    this.#lines.push(line);
    for (const { pattern, found } of this.#waiting) {
      const match = pattern.exec(line);
      if (match) found(match);
    }
  }
}
