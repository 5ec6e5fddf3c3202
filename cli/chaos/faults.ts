/**
 * What chaos does, and in which order: endless sequences of faults that a seed decides, one for each lane. Lanes run
 * side by side, the faults of one lane one after the other, so that no more than one broker is away at a time and
 * what must be undone is undone. The order within a lane is the seed's; real time, and so what meets what, is not.
 */
import { DEAD_LETTERS_TOPIC, resultsTopic } from "../../contracts/topics.ts";
import { Random } from "./random.ts";

export const BROKERS = [1, 2, 3] as const;
export const PROCESSORS = 3;
/** Names of the links that faults touch. */
export const LINKS = [...BROKERS.map((id) => `broker-${id}`), "dynamodb", "s3"];

export type Lane = "processors" | "brokers" | "stores";
export const LANES: readonly Lane[] = ["processors", "brokers", "stores"];

/** The leader of one partition, chosen as a share of the topic's partitions, from 0 to below 1. */
export interface LeaderMove {
  readonly topic: string;
  readonly share: number;
}

export interface Fault {
  readonly lane: Lane;
  /** What figures are counted by. */
  readonly kind: string;
  /** The kind with its target, for people. */
  readonly what: string;
  /** Requests to the control server of local/: `/links/s3/cut`. */
  readonly begin: readonly string[];
  readonly end: readonly string[];
  readonly leaderMove?: LeaderMove;
  /** Between begin and end. */
  readonly holdMs: number;
  /** Between its end and the lane's next fault. */
  readonly restMs: number;
}

export interface Targets {
  /** The service whose processes run the pipeline. */
  readonly service: string;
  readonly pipeline: string;
  readonly topic: string;
}

/** The faults of a lane, without end. */
export function* faultsOf(lane: Lane, seed: number, targets: Targets): Generator<Fault, never> {
  const random = new Random(seed, LANES.indexOf(lane) + 1);
  const next = { processors: processorFault, brokers: brokerFault, stores: storeFault }[lane];
  for (;;) yield { lane, ...next(random, targets) };
}

type Drawn = Omit<Fault, "lane">;

/** The group waits 6 s for a silent member (adapters/kafka-log.ts): a pause beyond that makes a zombie. */
const ZOMBIE_MS = [7_000, 14_000] as const;

function processorFault(random: Random, { service }: Targets): Drawn {
  const kind = random.weighted({ kill: 6, "kill all": 1, zombie: 4, "scale in": 2, "scale out and in": 1 });
  const index = random.between(0, PROCESSORS - 1);
  const of = (action: string, target: number) =>
    `/services/${encodeURIComponent(service)}/${action}=${target}`;
  const all = Array.from({ length: PROCESSORS }, (_, process) => process);
  // Some come right away, and so meet a recovery.
  const restMs = random.next() < 0.25 ? random.between(100, 2_000) : random.between(6_000, 20_000);
  const instant = { end: [], holdMs: 0, restMs };
  const count = { end: [of("count?n", PROCESSORS)], restMs };
  switch (kind) {
    case "kill":
      return { kind, what: `kill -9 processor ${index}`, begin: [of("kill?index", index)], ...instant };
    case "kill all":
      return {
        kind,
        what: "kill -9 every processor",
        begin: all.map((one) => of("kill?index", one)),
        ...instant,
      };
    case "zombie": {
      const holdMs = random.between(...ZOMBIE_MS);
      const [begin, end] = [[of("pause?index", index)], [of("continue?index", index)]];
      return { kind, what: `stop processor ${index} and continue it`, begin, end, holdMs, restMs };
    }
    case "scale in": {
      const left = random.between(0, PROCESSORS - 1);
      const holdMs = random.between(500, 6_000);
      return {
        kind,
        what: `SIGTERM all but ${left} processors`,
        begin: [of("count?n", left)],
        holdMs,
        ...count,
      };
    }
    case "scale out and in": {
      const wanted = PROCESSORS + random.between(1, 2);
      const holdMs = random.between(2_000, 10_000);
      return { kind, what: `${wanted} processors`, begin: [of("count?n", wanted)], holdMs, ...count };
    }
  }
}

/** Requests in whose middle a connection is lost, by Kafka's name and API key (https://kafka.apache.org/protocol). */
const REQUESTS = {
  Produce: 0,
  OffsetFetch: 9,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;
const REQUEST_WEIGHTS: Readonly<Record<keyof typeof REQUESTS, number>> = {
  Produce: 2,
  OffsetFetch: 1,
  JoinGroup: 1,
  Heartbeat: 1,
  SyncGroup: 1,
  InitProducerId: 2,
  AddPartitionsToTxn: 2,
  AddOffsetsToTxn: 2,
  EndTxn: 6,
  TxnOffsetCommit: 3,
};

function brokerFault(random: Random, targets: Targets): Drawn {
  const kind = random.weighted({
    "broker kill": 2,
    "broker restart": 2,
    "broker cut off": 2,
    "broker hangs": 2,
    "connections reset": 2,
    "cut mid-request": 6,
    "leader move": 4,
  });
  const broker = random.pick(BROKERS);
  const restMs = random.between(2_000, 10_000);
  const common = { kind, restMs };
  const link = (action: string) => [`/links/broker-${broker}/${action}`];
  const every = (action: string) => BROKERS.map((id) => `/links/broker-${id}/${action}`);
  const start = [`/brokers/${broker}/start`];
  switch (kind) {
    case "broker kill": {
      const begin = [`/brokers/${broker}/kill`];
      return {
        ...common,
        what: `kill -9 broker ${broker}`,
        begin,
        end: start,
        holdMs: random.between(0, 10_000),
      };
    }
    case "broker restart": {
      const begin = [`/brokers/${broker}/stop`];
      return {
        ...common,
        what: `restart broker ${broker}`,
        begin,
        end: start,
        holdMs: random.between(0, 5_000),
      };
    }
    case "broker cut off": {
      const holdMs = random.between(200, 12_000);
      const [begin, end] = [link("cut"), link("restore")];
      return { ...common, what: `refuse connections to broker ${broker}`, begin, end, holdMs };
    }
    case "broker hangs": {
      const holdMs = random.between(500, 12_000);
      const [begin, end] = [link("hang"), link("restore")];
      return { ...common, what: `let connections to broker ${broker} hang`, begin, end, holdMs };
    }
    case "connections reset":
      return { ...common, what: "reset every connection", begin: every("reset"), end: [], holdMs: 0 };
    case "cut mid-request": {
      const request = random.weighted(REQUEST_WEIGHTS);
      const moment = random.pick(["before", "after"] as const);
      const begin = every(`cut-at?api=${REQUESTS[request]}&moment=${moment}`);
      const what = `cut each broker's connections ${moment} its next ${request}`;
      return { ...common, what, begin, end: every("restore"), holdMs: random.between(1_500, 6_000) };
    }
    case "leader move": {
      const topic = random.weighted(leaderWeights(targets));
      const leaderMove = { topic, share: random.next() };
      return { ...common, what: `move a leader of ${topic}`, leaderMove, begin: [], end: [], holdMs: 0 };
    }
  }
}

/** The two internal topics' leaders are the coordinators of groups and transactions. */
const leaderWeights = ({ topic, pipeline }: Targets): Record<string, number> => ({
  [topic]: 3,
  [resultsTopic(pipeline)]: 2,
  [DEAD_LETTERS_TOPIC]: 1,
  __consumer_offsets: 4,
  __transaction_state: 4,
});

function storeFault(random: Random): Drawn {
  const store = random.weighted({ dynamodb: 2, s3: 2, both: 1 });
  const action = random.weighted({ cut: 1, hang: 1 });
  const names = store === "both" ? ["dynamodb", "s3"] : [store];
  const isLong = random.next() < 0.2;
  return {
    kind: action === "cut" ? `${store} refuses` : `${store} hangs`,
    what: `${names.join(" and ")}: ${action === "cut" ? "refuse connections" : "let connections hang"}`,
    begin: names.map((name) => `/links/${name}/${action}`),
    end: names.map((name) => `/links/${name}/restore`),
    holdMs: isLong ? 30_000 : random.between(500, 10_000),
    restMs: random.between(8_000, 30_000),
  };
}
