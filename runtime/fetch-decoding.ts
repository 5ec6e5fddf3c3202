/**
 * Lets a consumer of kafkajs 2.2.4 have record batches in the place of messages. kafkajs makes an object of each record,
 * with numbers as text that it compares as BigInts, and reads it three times to leave some out: more processor time than
 * everything that a pipeline does with an event. Here it is handed one FetchedBatch for each record batch, which is what
 * a broker sends, marks as aborted and numbers.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import Decoder from "kafkajs/src/protocol/decoder.js";
import fetchResponse, { type FetchResponse } from "kafkajs/src/protocol/requests/fetch/v11/response.js";
import { FetchedBatch } from "./fetched-batch.ts";
import { hideAborted } from "./read-committed.ts";

/** Set where the fetch is a consumer's that was started by {@link withRecordBatches}. */
const wanted = new AsyncLocalStorage<true>();

/** Starts a consumer: every batch that it hands over holds {@link FetchedBatch}es in the place of messages. */
export const withRecordBatches = <T>(start: () => T): T => wanted.run(true, start);

const decode = fetchResponse.decode;

fetchResponse.decode = (payload) => (wanted.getStore() ? decodeFetch(payload) : decode(payload));

/** https://kafka.apache.org/protocol.html#The_Messages_Fetch, version 11. */
async function decodeFetch(payload: Buffer): Promise<FetchResponse> {
  const decoder = new Decoder(payload);
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = await decoder.readArrayAsync(async () => ({
    topicName: decoder.readString(),
    partitions: await decoder.readArrayAsync(decodePartition),
  }));
  for (const { partitions } of responses) partitions.forEach(hideAborted);
  // It is for the client to wait, which kafkajs does where it is told so by this name.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

async function decodePartition(decoder: Decoder) {
  return {
    partition: decoder.readInt32(),
    errorCode: decoder.readInt16(),
    highWatermark: decoder.readInt64().toString(),
    lastStableOffset: decoder.readInt64().toString(),
    lastStartOffset: decoder.readInt64().toString(),
    abortedTransactions: decoder.readArray(() => ({
      producerId: decoder.readInt64().toString(),
      firstOffset: decoder.readInt64().toString(),
    })),
    preferredReadReplica: decoder.readInt32(),
    messages: await FetchedBatch.all(decoder.readBytes() ?? Buffer.alloc(0)),
  };
}
