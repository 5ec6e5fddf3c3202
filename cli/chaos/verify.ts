/** Reads every topic of a run and fills the ledger. */
import type { KafkaMessage } from "kafkajs";
import { DEAD_LETTERS_TOPIC, lateTopic, resultsTopic } from "../../contracts/topics.ts";
import { type Isolation, readTopic, type TopicRecords } from "../demo/topic-reader.ts";
import { checkCounters, Mismatches, RejectedCheck, ResultsCheck } from "./ledger.ts";
import { Oracle, positionOf } from "./oracle.ts";
import { PIPELINE, type Stage, TOPIC } from "./stage.ts";

/** Whether a record of the source's log is to be judged. */
export type Judged = (partition: number, offset: number) => boolean;

export interface Ledger {
  readonly oracle: Oracle;
  readonly results: number;
  readonly mismatches: Mismatches;
}

/** Reads the source's log as it is now; its records' outcomes depend on their order in it. */
export async function readLog({ kafka, platform }: Stage, judged: Judged = () => true): Promise<Oracle> {
  const oracle = new Oracle();
  const take = (partition: number, message: KafkaMessage) => {
    if (judged(partition, Number(message.offset))) oracle.take(partition, message);
  };
  await readTopic(
    kafka,
    TOPIC,
    ({ partition, messages }) => {
      for (const message of messages) take(partition, message);
    },
    platform.signal,
  );
  return oracle;
}

/** Holds everything that the pipeline wrote against what the oracle says of its log. */
export async function verify(stage: Stage, oracle: Oracle): Promise<Ledger> {
  const mismatches = new Mismatches();
  const results = new ResultsCheck(oracle, PIPELINE, mismatches);
  const topics = {
    [resultsTopic(PIPELINE)]: results,
    [lateTopic(PIPELINE)]: new RejectedCheck("late", oracle, mismatches),
    [DEAD_LETTERS_TOPIC]: new RejectedCheck("dead", oracle, mismatches),
  };
  await Promise.all(
    Object.entries(topics).map(([topic, check]) => checkTopic(stage, topic, check, mismatches)),
  );
  checkCounters(await stage.manifests(), oracle, mismatches);
  return { oracle, results: results.records, mismatches };
}

/**
 * Reads a topic as a reader of committed records sees it, for its check, and as one of uncommitted records does: what
 * that one saw, also in transactions that were aborted, must be what was committed in the end.
 */
async function checkTopic(
  { kafka, platform: { signal } }: Stage,
  topic: string,
  check: ResultsCheck | RejectedCheck,
  mismatches: Mismatches,
): Promise<void> {
  const committed = new Set<string>();
  const readEach = (isolation: Isolation, onMessage: (partition: number, message: KafkaMessage) => void) => {
    const onRecords = ({ partition, messages }: TopicRecords) => {
      for (const message of messages) onMessage(partition, message);
    };
    return readTopic(kafka, topic, onRecords, signal, isolation);
  };
  await readEach("committed", (partition, message) => {
    committed.add(contentOf(message));
    check.take(partition, message);
  });
  check.finish();
  await readEach("uncommitted", (partition, message) => {
    if (committed.has(contentOf(message))) return;
    mismatches.add(
      `${topic} at ${positionOf(partition, message.offset)}: a reader of uncommitted records saw what never was`,
    );
  });
}

const contentOf = ({ key, value, headers }: KafkaMessage): string =>
  [
    key?.toString("latin1"),
    value?.toString("latin1"),
    ...Object.entries(headers ?? {}).map(([name, text]) => `${name}=${text}`),
  ].join("\n");
