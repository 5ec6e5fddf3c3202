/** The engines under comparison: how each is started on a case, and where its progress and its results are. */
import { join } from "node:path";
import { consumerGroup, environmentVariables } from "../../contracts/environment.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { OUT_OF_ORDER_MS } from "./events.ts";
import type { Command } from "./process.ts";
import type { Totals } from "./reference.ts";
import type { WindowCase } from "./windows.ts";

/** Time between commits, for all: Spillway's checkpoint interval. */
const COMMIT_INTERVAL_MS = 1_000;
/** Of V8's heap and of the JVM's. */
const HEAP_MIB = 3_072;

/** What a run is given. */
export interface Place {
  readonly bootstrapServers: string;
  /** Tells this run's groups, checkpoints and topics from others'. */
  readonly run: string;
  /** A folder of the run's own. */
  readonly directory: string;
  readonly topic: string;
}

/** One result as the engines write it, whatever the form. */
export interface Row extends Totals {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

export interface Engine {
  readonly name: string;
  /** Whether it emits a window's result once, when it closes; else at every event, and the last one counts. */
  readonly emitsOnClose: boolean;
  /** Whether it looks for windows to close once a second at most, so that the last of them wait for one more event. */
  readonly closesOnceASecond: boolean;
  supports(windowCase: WindowCase): boolean;
  command(windowCase: WindowCase, place: Place): Command;
  /** Its consumer group. */
  group(windowCase: WindowCase, run: string): string;
  resultsTopic(windowCase: WindowCase, run: string): string;
  rowOf(value: unknown): Row;
}

export interface SpillwayOptions {
  readonly bundle: string;
  /** Flags of Node's, before the bundle. */
  readonly flags?: readonly string[];
  /** What reaches the tables and the bucket. */
  readonly env: Readonly<Record<string, string>>;
}

export const spillway = ({ bundle, flags = [], env }: SpillwayOptions): Engine => ({
  name: "Spillway",
  emitsOnClose: true,
  closesOnceASecond: false,
  supports: () => true,
  command: ({ name }, { bootstrapServers, run }) => ({
    command: process.execPath,
    args: ["--disable-warning=TimeoutNegativeWarning", `--max-old-space-size=${HEAP_MIB}`, ...flags, bundle],
    env: {
      ...env,
      NODE_ENV: "production",
      [environmentVariables.environment]: run,
      [environmentVariables.bootstrapServers]: bootstrapServers,
      [environmentVariables.pipelines]: name,
      [environmentVariables.idleTicks]: "off",
    },
  }),
  group: ({ name }, run) => consumerGroup(run, name),
  resultsTopic: ({ name }) => resultsTopic(name),
  rowOf: (value) => {
    const { key, window, value: totals } = value as ResultRecord<Totals>;
    return { key, ...window, ...totals };
  },
});

export interface StreamsVariant {
  readonly store: "in memory" | "RocksDB";
  readonly collector: "G1" | "Parallel";
  /** `emit on close`: its emit strategy; `suppress`: its older operator, which lets the store's cache work. */
  readonly emission: "emit on close" | "suppress";
}

export const streamsVariants: readonly StreamsVariant[] = (["in memory", "RocksDB"] as const).flatMap(
  (store) =>
    (["G1", "Parallel"] as const).flatMap((collector) =>
      (["emit on close", "suppress"] as const).map((emission) => ({ store, collector, emission })),
    ),
);

/**
 * @param jars where its jars and ours are, see bench/peers/kafka-streams.ts
 * @param properties more of its options
 */
export const kafkaStreams = (
  jars: string,
  { store, collector, emission }: StreamsVariant,
  properties: Readonly<Record<string, string | number>> = {},
): Engine => ({
  name: `Kafka Streams 4.1 (${store}, ${collector}, ${emission})`,
  emitsOnClose: true,
  closesOnceASecond: emission === "emit on close",
  supports: () => true,
  command: (windowCase, { bootstrapServers, run, directory, topic }) =>
    java(jars, "WindowedTotals", collector, {
      bootstrapServers,
      topic,
      results: streamsResults(windowCase, run),
      applicationId: run,
      stateDirectory: join(directory, "state"),
      commitIntervalMs: COMMIT_INTERVAL_MS,
      store: store === "RocksDB" ? "rocksdb" : "memory",
      suppress: emission === "suppress",
      graceMs: OUT_OF_ORDER_MS,
      ...("sizeMs" in windowCase.window && {
        sizeMs: windowCase.window.sizeMs,
        advanceMs: windowCase.window.sizeMs,
      }),
      ...windowCase.window,
      ...properties,
    }),
  group: (_, run) => run,
  resultsTopic: streamsResults,
  rowOf: (value) => value as Row,
});

const streamsResults = ({ name }: WindowCase, run: string): string => `${name}.${run}`;

/** A program of bench/peers/kafka-streams; its options are system properties. */
export function java(
  jars: string,
  program: string,
  collector: StreamsVariant["collector"],
  properties: object,
): Command {
  const options = Object.entries({ ...properties, "org.slf4j.simpleLogger.defaultLogLevel": "error" });
  const flags = ["-Xms256m", `-Xmx${HEAP_MIB}m`, `-XX:+Use${collector}GC`];
  const args = [
    ...flags,
    ...options.map(([name, value]) => `-D${name}=${value}`),
    "-cp",
    join(jars, "*"),
    program,
  ];
  return { command: "java", args };
}

export const kafkatsFlow: Engine = {
  name: "@kafkats/flow 0.12",
  emitsOnClose: false,
  closesOnceASecond: false,
  // What it emits of a session before that grows stays as a result of its own.
  supports: ({ window }) => window.kind !== "session",
  command: (windowCase, { bootstrapServers, run, topic }) => ({
    command: process.execPath,
    args: [
      join(import.meta.dirname, "../peers/kafkats-flow.mjs"),
      JSON.stringify({
        bootstrapServers,
        applicationId: run,
        topic,
        results: streamsResults(windowCase, run),
        commitIntervalMs: COMMIT_INTERVAL_MS,
        window: windowCase.window,
      }),
    ],
  }),
  group: (_, run) => run,
  resultsTopic: streamsResults,
  rowOf: (value) => value as Row,
};
