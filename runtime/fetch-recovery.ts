/**
 * Makes kafkajs 2.2.4 look for a partition's leader when a broker refuses a fetch. By itself it does worse:
 *
 * - OFFSET_OUT_OF_RANGE makes it commit -1 or -2 in the place of the group's offset. But since it fetches with a version
 *   that followers answer too (11, KIP-392), a broker that has lost the leadership while it was away refuses positions
 *   that its log has not reached again yet; nothing was lost.
 * - NOT_LEADER makes it join its group again, from within each of its concurrent fetches, so that the move of one
 *   leader stops every task of the group.
 *
 * Here it learns the leaders anew and fetches again. A position that is refused for longer than any election takes is
 * outside the log: the consumer ends without a commit. Importing this module is enough.
 */
import { setTimeout as sleep } from "node:timers/promises";
import errors from "kafkajs/src/errors.js";
import fetchResponse from "kafkajs/src/protocol/requests/fetch/v11/response.js";
import { partitionKey } from "./send-plan.ts";

export interface FetchAnswer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

/** Kafka's error codes (protocol guide, "Error Codes"). */
const OFFSET_OUT_OF_RANGE = 1;
const LEADER_NOT_AVAILABLE = 5;
const NOT_LEADER_OR_FOLLOWER = 6;

/** A new leader is known within a few of these; without a pause kafkajs would ask as fast as it is answered. */
const RETRY_MS = 100;
/** Longer than a broker that comes back takes to catch up with what is written meanwhile. */
const MAX_OUT_OF_RANGE_MS = 10_000;

const parse = fetchResponse.parse;
/** By partition: refusals that follow each other closely. */
const refusals = new Map<string, { readonly sinceMs: number; readonly lastMs: number }>();
/** A consumer that is refused asks again within a request's time; a longer silence ends its streak. */
const MAX_PAUSE_MS = 5_000;

fetchResponse.parse = async (answer) => {
  const refusal = refusalIn(answer, performance.now());
  if (refusal === undefined) return parse(answer);
  await sleep(RETRY_MS);
  throw refusal;
};

/**
 * What kafkajs is to be told in the place of an answer that a follower or a former leader gave: KafkaJSBrokerNotFound
 * makes it learn the leaders anew, KafkaJSNonRetriableError ends it. Undefined for every other answer, also for other
 * errors.
 */
export function refusalIn({ responses }: FetchAnswer, nowMs: number): Error | undefined {
  let refusal: Error | undefined;
  for (const { topicName, partitions } of responses) {
    for (const { partition, errorCode } of partitions) {
      const key = partitionKey(topicName, partition);
      if (errorCode === OFFSET_OUT_OF_RANGE) {
        const before = refusals.get(key);
        const sinceMs = before && nowMs - before.lastMs <= MAX_PAUSE_MS ? before.sinceMs : nowMs;
        refusals.set(key, { sinceMs, lastMs: nowMs });
        if (nowMs - sinceMs > MAX_OUT_OF_RANGE_MS) {
          refusals.delete(key);
          return new errors.KafkaJSNonRetriableError(
            `The position in ${key} has been outside of the log for ${MAX_OUT_OF_RANGE_MS} ms. It is not moved: compare the group's committed offset with the log's bounds.`,
          );
        }
      } else {
        refusals.delete(key);
        if (errorCode !== LEADER_NOT_AVAILABLE && errorCode !== NOT_LEADER_OR_FOLLOWER) continue;
      }
      // kafkajs tells its errors apart by their names; the constructor of this one is wrong in its types.
      refusal ??= Object.assign(
        new errors.KafkaJSError(`The broker that was asked for ${key} does not lead it.`),
        {
          name: "KafkaJSBrokerNotFound",
        },
      );
    }
  }
  return refusal;
}
