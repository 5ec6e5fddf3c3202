/** The command's Kafka client. */
import { setTimeout as delay } from "node:timers/promises";
import { type Admin, Kafka, logLevel } from "kafkajs";
import "../runtime/fetch-recovery.ts";
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

/** A partition that moves has a new leader within seconds; one that has none for so long is a fault to report. */
const LEADER_TIMEOUT_MS = 30_000;
const LEADER_RETRY_MS = 100;

export type PartitionOffsets = Awaited<ReturnType<Admin["fetchTopicOffsets"]>>[number];

/**
 * Where each partition of a topic starts and ends. A broker that has just become a partition's leader, or is no longer
 * it, refuses for a moment, for which kafkajs' own call gives up; this one asks again, for up to 30 s.
 */
export async function topicOffsets(admin: Admin, topic: string): Promise<PartitionOffsets[]> {
  const deadlineMs = Date.now() + LEADER_TIMEOUT_MS;
  for (;;) {
    try {
      return await admin.fetchTopicOffsets(topic);
    } catch (error) {
      const passing = (error as { readonly retriable?: boolean }).retriable === true;
      if (!passing || Date.now() > deadlineMs) throw error;
      await delay(LEADER_RETRY_MS);
    }
  }
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
