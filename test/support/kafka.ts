/** A throw-away Kafka for tests: one node on loopback, with a listener whose connections a test can cut. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Referenced by path, not imported: nothing outside local/ depends on its code. */
const JARS_MODULE = join(import.meta.dirname, "..", "..", "local", "kafka", "jars.ts");
const JVM_FLAGS = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const LOG_FLAGS = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"];
const RETRY_MS = 50;
const START_TIMEOUT_MS = 120_000;

export interface TestKafka {
  readonly bootstrapServers: string;
  /** The same broker behind {@link Wire}. */
  readonly cuttable: string;
  readonly wire: Wire;
  readonly clusterId: string;
  readonly controllerPort: number;
  stop(): Promise<void>;
}

/** That of the brokers that {@link joinBroker} adds is said there. */
const FIRST_RACK = "zone-1";

/**
 * Starts a broker. The first start on a machine fetches Kafka with Maven. Topics are not made automatically, and a
 * group's first join does not wait for further members.
 */
export async function startKafka(): Promise<TestKafka> {
  const directory = await mkdtemp(join(tmpdir(), "spillway-kafka-"));
  const [port, wiredPort, controllerPort] = await freePorts();
  const wire = await Wire.open(wiredPort);
  const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
  const first = properties(directory, port, wiredPort, controllerPort, wire.port);
  const broker = await startNode(directory, clusterId, first);
  const stop = async () => {
    await wire.close();
    await kill(broker);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.race([untilListening(port), failOnExit(broker)]);
  } catch (error) {
    await stop();
    throw error;
  }
  const [bootstrapServers, cuttable] = [`127.0.0.1:${port}`, `127.0.0.1:${wire.port}`];
  return { bootstrapServers, cuttable, wire, clusterId, controllerPort, stop };
}

/** Another broker of the same cluster, which has no part in deciding anything. Resolves when the cluster may use it. */
export async function joinBroker(
  { clusterId, controllerPort }: TestKafka,
  nodeId: number,
  rack: string,
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "spillway-kafka-"));
  const [port] = await freePorts();
  const text = lines({
    "process.roles": "broker",
    "node.id": nodeId,
    "broker.rack": rack,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAIN://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAIN",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(directory, "data"),
    ...SHARED,
  });
  const broker = await startNode(directory, clusterId, text);
  const stop = async () => {
    await kill(broker);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.race([untilListening(port), failOnExit(broker)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, stop };
}

async function startNode(directory: string, clusterId: string, text: string): Promise<ChildProcess> {
  const configuration = join(directory, "server.properties");
  await writeFile(configuration, text);
  const java = [...JVM_FLAGS, ...LOG_FLAGS, "-cp", join(await jars(), "*")];
  const format = ["kafka.tools.StorageTool", "format", "--cluster-id", clusterId, "--config", configuration];
  await run("java", [...java, ...format]);
  // The kernel kills the broker with the test's process, should that end without stopping it.
  const command = ["--pdeathsig", "KILL", "--", "java", ...java, "kafka.Kafka", configuration];
  return spawn("setpriv", command, { stdio: ["ignore", "inherit", "inherit"] });
}

async function kill(broker: ChildProcess): Promise<void> {
  if (broker.exitCode === null && broker.signalCode === null && broker.kill("SIGKILL")) {
    await once(broker, "exit");
  }
}

/** A TCP proxy before the broker. What passes it can be watched, and cut at a chosen request. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #brokerPort: number;
  #cutAt: ((apiKey: number) => "before" | "after" | undefined) | undefined;

  private constructor(brokerPort: number) {
    this.#brokerPort = brokerPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(brokerPort: number): Promise<Wire> {
    const wire = new Wire(brokerPort);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Cuts every connection at the next request with this API key, once: `before` it reaches the broker, or `after`
   * the broker has answered it, the answer withheld. New connections pass.
   */
  cutAt(apiKey: number, moment: "before" | "after"): void {
    this.#cutAt = (key) => (key === apiKey ? moment : undefined);
  }

  async close(): Promise<void> {
    this.#cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const broker = connect(this.#brokerPort, "127.0.0.1");
    let withholding = false;
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      // kafkajs writes each request in one piece: four bytes of length, then two of the API key.
      const moment = chunk.length >= 6 ? this.#cutAt?.(chunk.readInt16BE(4)) : undefined;
      if (moment !== undefined) this.#cutAt = undefined;
      if (moment === "before") return this.#cut();
      if (moment === "after") withholding = true;
      broker.write(chunk);
    });
    broker.on("data", (chunk: Buffer) => {
      if (withholding) return this.#cut();
      client.write(chunk);
    });
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Of every broker of a cluster. */
const SHARED = {
  "auto.create.topics.enable": false,
  "group.initial.rebalance.delay.ms": 0,
  "offsets.topic.num.partitions": 1,
  "offsets.topic.replication.factor": 1,
  "transaction.state.log.num.partitions": 1,
  "transaction.state.log.replication.factor": 1,
  "transaction.state.log.min.isr": 1,
  "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
};

function properties(
  directory: string,
  port: number,
  wiredPort: number,
  controllerPort: number,
  advertisedPort: number,
): string {
  return lines({
    "process.roles": "broker,controller",
    "node.id": 1,
    "broker.rack": FIRST_RACK,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAIN://127.0.0.1:${port},WIRED://127.0.0.1:${wiredPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAIN://127.0.0.1:${port},WIRED://127.0.0.1:${advertisedPort}`,
    "listener.security.protocol.map": "PLAIN:PLAINTEXT,WIRED:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAIN",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(directory, "data"),
    ...SHARED,
  });
}

const lines = (values: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");

async function jars(): Promise<string> {
  const script = `import { kafkaJars } from ${JSON.stringify(pathToFileURL(JARS_MODULE).href)};
    process.stdout.write(await kafkaJars((line) => process.stderr.write(line + "\\n")));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
  return stdout;
}

/** Held together before any is freed, so that they differ. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports as [number, number, number];
}

async function untilListening(port: number): Promise<void> {
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await sleep(RETRY_MS, undefined, { signal: deadline });
    } finally {
      socket.destroy();
    }
  }
}

async function failOnExit(broker: ChildProcess): Promise<never> {
  const [code] = (await once(broker, "exit")) as [number | null];
  throw new Error(`Kafka exited with ${code} before it accepted connections; see its output above`);
}
