import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrerequisiteError } from "../errors.ts";
import type { Link } from "../links/link.ts";
import { freePort } from "../links/ports.ts";
import type { StandIn } from "../plan/stand-ins.ts";
import { Child } from "../processes/child.ts";
import { untilListening } from "../processes/wait.ts";

const LOOPBACK_ONLY = join(import.meta.dirname, "loopback-only.ts");

/** A process that stands in for a service of AWS, or of others. */
export type EmulatorName = "dynamodb" | "s3-sqs" | "kinesis" | StandIn;

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

export interface EmulatorOptions {
  readonly name: EmulatorName;
  readonly region: string;
  readonly logDirectory: string;
  readonly verbose: boolean;
  /** Called when the process ends and {@link Emulator.stop} did not do it. */
  readonly onLost: (line: string) => void;
}

/** An emulator behind the links its clients use; `s3-sqs` has one for each service, so that each can be cut. */
export class Emulator {
  readonly name: EmulatorName;
  readonly #options: EmulatorOptions;
  readonly #links: readonly Link[];
  #child: Child | undefined;
  #stopping = false;

  constructor(options: EmulatorOptions, links: readonly Link[]) {
    this.name = options.name;
    this.#options = options;
    this.#links = links;
  }

  get pid(): number | undefined {
    return this.#child?.running ? this.#child.pid : undefined;
  }

  /** Resolves once it accepts connections. */
  async start(): Promise<void> {
    const { name, region, logDirectory, verbose, onLost } = this.#options;
    const port = await freePort();
    const logFile = join(logDirectory, `${name}.log`);
    const child = new Child({ name, ...commandOf(name, port, region), logFile, verbose });
    this.#child = child;
    void child.exited.then(({ code, signal: by }) => {
      if (!this.#stopping)
        onLost(`the ${name} emulator ended by itself (${by ?? code}), and its data with it`);
    });
    const abort = new AbortController();
    try {
      await Promise.race([untilListening(port, abort.signal), child.failOnExit()]);
    } finally {
      abort.abort();
    }
    for (const link of this.#links) link.connectTo(port);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    // What it holds lives in memory and goes with the run, so that there is nothing to finish.
    await this.#child?.kill();
  }
}

function commandOf(name: EmulatorName, port: number, region: string): Command {
  const directory = import.meta.dirname;
  switch (name) {
    case "dynamodb":
      return { command: dynoxide(), args: ["serve", "--port", String(port)], environment: {}, directory };
    case "s3-sqs":
    case "kinesis":
    case "geolocation": {
      const main = join(directory, `${name}-main.ts`);
      const args = ["--import", LOOPBACK_ONLY, main, String(port), region];
      return { command: process.execPath, args, environment: {}, directory };
    }
  }
}

function dynoxide(): string {
  const binary = join(packageDirectory("@dynoxide/linux-x64"), "dynoxide");
  if (!existsSync(binary)) {
    throw new PrerequisiteError(
      "The DynamoDB emulator is not installed. Run `npm ci` on Linux x64, the host that local runs support.",
    );
  }
  return binary;
}

function packageDirectory(name: string): string {
  try {
    return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
  } catch (cause) {
    throw new PrerequisiteError(
      `The package ${name} is not installed. Run \`npm ci\` on Linux x64, the host that local runs support.`,
      { cause },
    );
  }
}
