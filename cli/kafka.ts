/** The command's Kafka client. */
import { Kafka, logLevel } from "kafkajs";
import "../runtime/read-committed.ts";

/** kafkajs' own. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * A client for the brokers of the local platform. It logs nothing, since what goes wrong reaches the caller as a
 * rejection, and a broker that is away for a while is part of what the demo shows.
 */
export function kafkaClient(bootstrapServers: string, requestTimeoutMs = REQUEST_TIMEOUT_MS): Kafka {
  dropNegativeTimeoutWarnings();
  return new Kafka({
    requestTimeout: requestTimeoutMs,
    clientId: "spillway-cli",
    brokers: bootstrapServers.split(","),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 10 },
  });
}

const NEGATIVE_TIMEOUT = "TimeoutNegativeWarning";
let dropping = false;

/** kafkajs 2.2.4 sets timers for moments that have passed, which is harmless; Node 24 would print a warning. */
export function dropNegativeTimeoutWarnings(): void {
  if (dropping) return;
  dropping = true;
  const printers = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === NEGATIVE_TIMEOUT) return;
    for (const print of printers) print(warning);
  });
}
