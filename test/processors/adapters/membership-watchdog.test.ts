import type { Consumer, Kafka } from "kafkajs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { KafkaMembership } from "../../../processors/adapters/kafka-membership.ts";

const events = {
  GROUP_JOIN: "join",
  REBALANCING: "rebalancing",
  CRASH: "crash",
  START_BATCH_PROCESS: "batch",
  HEARTBEAT: "heartbeat",
} as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A member of a group whose client says what the test says. */
async function member() {
  const listeners = new Map<string, (event: { payload: unknown }) => void>();
  const consumer = {
    events,
    on: (name: string, listener: (event: { payload: unknown }) => void) => listeners.set(name, listener),
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    disconnect: async () => undefined,
  } as unknown as Consumer;
  const crashes: string[] = [];
  await KafkaMembership.join({
    kafka: { consumer: () => consumer } as unknown as Kafka,
    group: "g",
    topics: ["t"],
    partitionCount: 1,
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 1_000,
    handlers: {
      onAssigned: () => undefined,
      onLost: () => undefined,
      onBatch: () => undefined,
      onCrash: ({ message }) => crashes.push(message),
    },
  });
  const tell = (name: keyof typeof events, payload: unknown) => listeners.get(events[name])!({ payload });
  const secondsWithHeartbeats = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      vi.advanceTimersByTime(1_000);
      tell("HEARTBEAT", { groupGenerationId: 1 });
    }
  };
  const join = () => tell("GROUP_JOIN", { memberAssignment: { t: [0] } });
  return { crashes, join, lose: () => tell("REBALANCING", {}), secondsWithHeartbeats };
}

test("a member goes on for as long as its heartbeats are answered", async () => {
  const { crashes, join, secondsWithHeartbeats } = await member();
  join();
  secondsWithHeartbeats(600);
  expect(crashes).toEqual([]);
});

test("a member that is never given its partitions again ends, though its heartbeats are answered", async () => {
  const { crashes, join, lose, secondsWithHeartbeats } = await member();
  join();
  secondsWithHeartbeats(100);
  lose();
  secondsWithHeartbeats(44);
  expect(crashes).toEqual([]);
  secondsWithHeartbeats(1);
  expect(crashes).toEqual(["no heartbeat was answered in an assigned generation for 45 s"]);
});

test("one that joins again in time goes on", async () => {
  const { crashes, join, lose, secondsWithHeartbeats } = await member();
  join();
  lose();
  secondsWithHeartbeats(40);
  join();
  secondsWithHeartbeats(40);
  expect(crashes).toEqual([]);
});

test("a member whose heartbeats are not answered ends", async () => {
  const { crashes, join } = await member();
  join();
  vi.advanceTimersByTime(45_000);
  expect(crashes).toHaveLength(1);
});
