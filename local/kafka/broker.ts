import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "../errors.ts";
import { Child } from "../processes/child.ts";
import { untilListening } from "../processes/wait.ts";

const run = promisify(execFile);

/**
 * A broker that serves one laptop: a small heap, the collector with the least overhead, and the first compiler
 * only, which starts in half the time on two cores.
 */
const JVM_FLAGS = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const LOG_FLAGS = [
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
  "-Dorg.slf4j.simpleLogger.showDateTime=true",
];

/** A broker that cannot reach a controller would wait for it for minutes. */
const STOP_TIMEOUT_MS = 15_000;

export interface BrokerOptions {
  readonly id: number;
  readonly clusterId: string;
  readonly jars: string;
  readonly directory: string;
  /** Its server.properties; `log.dirs` lies below `directory`. */
  readonly properties: string;
  readonly clientPort: number;
  readonly logFile: string;
  readonly verbose: boolean;
  /** Called when the process ends and neither {@link Broker.kill} nor {@link Broker.stop} did it. */
  readonly onLost: (line: string) => void;
}

/** One Kafka node, broker and controller in one. */
export class Broker {
  readonly id: number;
  readonly #options: BrokerOptions;
  #child: Child | undefined;
  #killed = false;

  constructor(options: BrokerOptions) {
    this.id = options.id;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.running ? this.#child.pid : undefined;
  }

  /** Writes the node's configuration and formats its log directory. Once, before the first start. */
  async format(): Promise<void> {
    const { jars, clusterId, directory, properties } = this.#options;
    await mkdir(directory, { recursive: true });
    await writeFile(this.#configuration, properties);
    try {
      await run("setpriv", [
        "--pdeathsig",
        "KILL",
        "--",
        "java",
        ...JVM_FLAGS,
        ...LOG_FLAGS,
        "-cp",
        join(jars, "*"),
        "kafka.tools.StorageTool",
        "format",
        "--cluster-id",
        clusterId,
        "--config",
        this.#configuration,
      ]);
    } catch (cause) {
      throw new StartError(`Kafka could not format ${directory}: ${String((cause as Error).message)}`, {
        cause,
      });
    }
  }

  /** Starts the process, and resolves once its client listener accepts connections. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const { jars, directory, clientPort, logFile, verbose, onLost } = this.#options;
    const child = new Child({
      name: `broker-${this.id}`,
      command: "java",
      args: [...JVM_FLAGS, ...LOG_FLAGS, "-cp", join(jars, "*"), "kafka.Kafka", this.#configuration],
      environment: {},
      directory,
      logFile,
      verbose,
    });
    this.#child = child;
    this.#killed = false;
    void child.exited.then(({ code, signal: by }) => {
      if (!this.#killed) onLost(`broker ${this.id} ended by itself (${by ?? code})`);
    });
    const abort = new AbortController();
    try {
      await Promise.race([untilListening(clientPort, abort.signal), child.failOnExit()]);
    } finally {
      abort.abort();
    }
  }

  /** SIGKILL: what a broker's host failing looks like. Its log stays, as an EBS volume would. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.#child?.kill();
  }

  /** SIGTERM: it hands its leaderships over first, as in a rolling restart. */
  async stop(): Promise<void> {
    this.#killed = true;
    await this.#child?.stop(STOP_TIMEOUT_MS);
  }

  get #configuration(): string {
    return join(this.#options.directory, "server.properties");
  }
}
