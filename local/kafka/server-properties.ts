import { zoneId } from "../zones.ts";

/** MSK's defaults that differ from Apache Kafka's (MSK, default configuration for provisioned clusters). */
const MSK_DEFAULTS: Readonly<Record<string, string>> = {
  "auto.create.topics.enable": "false",
  "default.replication.factor": "3",
  "min.insync.replicas": "2",
  "replica.lag.time.max.ms": "30000",
  "offsets.topic.replication.factor": "3",
  "transaction.state.log.replication.factor": "3",
  "transaction.state.log.min.isr": "2",
};

/** Internal topics of 50 partitions each would cost a second of the start; nothing a client sees depends on it. */
const LOCAL_DEFAULTS: Readonly<Record<string, string>> = {
  "offsets.topic.num.partitions": "8",
  "transaction.state.log.num.partitions": "8",
};

const REPLICATION_FACTORS = [
  "default.replication.factor",
  "offsets.topic.replication.factor",
  "transaction.state.log.replication.factor",
];
const MIN_IN_SYNC = ["min.insync.replicas", "transaction.state.log.min.isr"];

export interface BrokerAddresses {
  readonly id: number;
  /** What clients are told to connect to: the link. */
  readonly advertisedPort: number;
  readonly clientPort: number;
  readonly internalPort: number;
  readonly controllerPort: number;
}

/** `key=value` lines, as in a server.properties file; comments and blank lines are left out. */
export function parseProperties(text: string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^\s*([^#!=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (match !== null) properties[match[1]!] = match[2]!;
  }
  return properties;
}

/** Properties that a template carries as plain text or base64, as `key=value` lines or a JSON object. */
export function decodeProperties(encoded: string): Record<string, string> {
  // Every Kafka property has a dot in its name, which base64 has not.
  const text = encoded.includes(".") ? encoded : Buffer.from(encoded, "base64").toString("utf8");
  if (!text.trimStart().startsWith("{")) return parseProperties(text);
  const object = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, String(value)]));
}

/** Replication factors and minimum in-sync replicas cannot exceed the brokers there are. */
export function capReplication(properties: Record<string, string>, brokers: number): Record<string, string> {
  const capped = { ...properties };
  for (const key of REPLICATION_FACTORS) {
    if (Number(capped[key]) > brokers) capped[key] = String(brokers);
  }
  // As many as replicas would make any lost broker stop every write, which a real cluster's settings avoid.
  const minInSync = Math.max(1, Math.min(2, brokers - 1));
  for (const key of MIN_IN_SYNC) {
    if (Number(capped[key]) > minInSync) capped[key] = String(minInSync);
  }
  return capped;
}

/** The text of a broker's server.properties: what the template's MSK configuration says, on local addresses. */
export function serverProperties(
  template: Readonly<Record<string, string>>,
  brokers: readonly BrokerAddresses[],
  broker: BrokerAddresses,
  logDirectory: string,
): string {
  const properties = {
    ...capReplication({ ...MSK_DEFAULTS, ...LOCAL_DEFAULTS, ...template }, brokers.length),
    "process.roles": "broker,controller",
    "node.id": String(broker.id),
    // As MSK sets it: the id of the broker's zone.
    "broker.rack": zoneId(broker.id - 1),
    "controller.quorum.voters": brokers
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(","),
    // Brokers talk to each other past the links, so that cutting a link cuts clients off and nothing else.
    listeners: `CLIENT://127.0.0.1:${broker.clientPort},INTERNAL://127.0.0.1:${broker.internalPort},CONTROLLER://127.0.0.1:${broker.controllerPort}`,
    "advertised.listeners": `CLIENT://127.0.0.1:${broker.advertisedPort},INTERNAL://127.0.0.1:${broker.internalPort}`,
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "INTERNAL",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": logDirectory,
  };
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n")}\n`;
}
