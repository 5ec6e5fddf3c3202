/** The Kafka client that functions and services share: where they connect, how they prove who they are, what they log. */
import { Kafka, type KafkaConfig, type LogEntry, logLevel, type RetryOptions } from "kafkajs";
import { ConfigurationError } from "./errors.ts";
import "./fetch-recovery.ts";
import "./produce-encoding.ts";
import "./read-committed.ts";
import "./read-replicas.ts";

/** Long enough for a TCP and TLS handshake with a busy broker, short enough to try the next one. */
const CONNECTION_TIMEOUT_MS = 3_000;
/** A broker that is up answers in milliseconds; requests that wait on purpose (joins) bring their own limit. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface KafkaOptions {
  readonly clientId: string;
  /** Comma-separated `host:port`. Only loopback addresses: plaintext without authentication, the local platform. */
  readonly bootstrapServers: string;
  /** @default kafkajs' own: 5 retries that wait 300 ms and up */
  readonly retry?: RetryOptions;
  /** @default 10,000 */
  readonly requestTimeoutMs?: number;
}

/**
 * A kafkajs client. Brokers that are not all on loopback are reached with TLS and an IAM token (OAUTHBEARER). It
 * logs warnings and errors as JSON lines to standard error, the same one every 10 s at most, never keys or values.
 * @throws ConfigurationError where no broker is named, or the AWS region is missing
 */
export function createKafka(options: KafkaOptions): Kafka {
  const brokers = parseBrokers(options.bootstrapServers);
  return new Kafka({
    clientId: options.clientId,
    brokers,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    logLevel: logLevel.WARN,
    logCreator: () => writeLogLine,
    ...(options.retry && { retry: options.retry }),
    ...(needsNoLogin(options.bootstrapServers) ? {} : iamAuthentication()),
  });
}

function parseBrokers(bootstrapServers: string): string[] {
  const brokers = bootstrapServers
    .split(",")
    .map((broker) => broker.trim())
    .filter((broker) => broker !== "");
  if (brokers.length > 0 && brokers.every((broker) => /^.+:\d+$/.test(broker))) return brokers;
  throw new ConfigurationError(
    `The bootstrap servers "${bootstrapServers}" are not a comma-separated list of host:port.`,
    "Set SPILLWAY_BOOTSTRAP_SERVERS to what the cluster's GetBootstrapBrokers answers.",
  );
}

/** Whether brokers are asked without TLS and IAM: those of the local platform. */
export const needsNoLogin = (bootstrapServers: string): boolean =>
  parseBrokers(bootstrapServers).every(isLoopback);

function isLoopback(broker: string): boolean {
  const host = broker.replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function iamAuthentication(): Pick<KafkaConfig, "ssl" | "sasl"> {
  const region = process.env.AWS_REGION;
  if (!region) {
    throw new ConfigurationError(
      "The environment variable AWS_REGION is not set, so no IAM token for Kafka can be signed.",
      "Set AWS_REGION; Lambda and Fargate do.",
    );
  }
  const oauthBearerProvider = async () => {
    // The signer brings AWS clients of its own; the local platform never loads them.
    const { generateAuthToken } = await import("aws-msk-iam-sasl-signer-js");
    return { value: (await generateAuthToken({ region })).token };
  };
  return { ssl: true, sasl: { mechanism: "oauthbearer", oauthBearerProvider } };
}

/** What kafkajs tells beside a message and an operator can use; everything else might carry a payload. */
const LOGGED_FIELDS = [
  "error",
  "groupId",
  "memberId",
  "topic",
  "partition",
  "broker",
  "clientId",
  "retryCount",
  "retryTime",
];

/**
 * Starts of messages that are no news: the partitioner of Kafka's Java client is the one wanted, a producer that
 * gives up retrying aborts its transaction, and one transaction right after another waits for the one before.
 */
const EXPECTED_MESSAGES = [
  "KafkaJS v2.0.0 switched default partitioner",
  "Limiting retries for the idempotent",
  "Failed to send messages: The producer attempted to update a transaction while another",
];

/** Every error that a broker answers is logged as well as thrown; whoever catches it knows whether it matters. */
const isErrorAnswer = ({ namespace, log }: LogEntry): boolean =>
  namespace === "Connection" && log.message.startsWith("Response ");

/** While a broker is away every retry of every client says so. */
const REPEAT_AFTER_MS = 10_000;
const MAX_REMEMBERED_MESSAGES = 100;
const lastLoggedMs = new Map<string, number>();

function isRepeated(message: string): boolean {
  const nowMs = Date.now();
  if (nowMs - (lastLoggedMs.get(message) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return true;
  if (lastLoggedMs.size >= MAX_REMEMBERED_MESSAGES) lastLoggedMs.clear();
  lastLoggedMs.set(message, nowMs);
  return false;
}

function writeLogLine(entry: LogEntry): void {
  const { namespace, label, log } = entry;
  if (isErrorAnswer(entry) || EXPECTED_MESSAGES.some((start) => log.message.startsWith(start))) return;
  if (isRepeated(log.message)) return;
  const line: Record<string, unknown> = {
    level: label,
    message: log.message,
    timestamp: log.timestamp,
    source: `kafkajs/${namespace}`,
  };
  for (const field of LOGGED_FIELDS) {
    if (log[field] !== undefined) line[field] = String(log[field]);
  }
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
