/**
 * Makes kafkajs 2.2.4 leave out every aborted record for readers of committed records. It expects the aborted
 * transactions of an answer in the order in which they began, which brokers do not promise, and takes up one a record
 * at most; where transactions of several producers overlap it then delivers records that were aborted. Importing this
 * module is enough: it corrects each answer as it is decoded, before kafkajs looks at it.
 */
import fetchResponse from "kafkajs/src/protocol/requests/fetch/v11/response.js";

export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  /** kafkajs hands no such record out. */
  isControlRecord?: boolean;
  /** Absent on records of formats before transactions. */
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface FetchedPartition {
  /** Those that overlap the answer, in any order. Null for readers of uncommitted records. */
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: FetchedMessage[];
}

/** A control record's key is its version and its type, two bytes each; type 0 is an abort (Kafka, "Control Batches"). */
const CONTROL_TYPE_AT = 2;
const ABORT = 0;

const decode = fetchResponse.decode;

fetchResponse.decode = async (payload) => {
  const answer = await decode(payload);
  for (const { partitions } of answer.responses) partitions.forEach(hideAborted);
  return answer;
};

/** Marks aborted records as ones that are not handed out. The rule is Kafka's own consumer's. */
export function hideAborted(partition: FetchedPartition): void {
  const waiting = (partition.abortedTransactions ?? []).toSorted(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  if (waiting.length === 0) return;
  const aborted = new Set<string>();
  for (const message of partition.messages) {
    while (waiting.length > 0 && Number(waiting[0]!.firstOffset) <= Number(message.offset)) {
      aborted.add(waiting.shift()!.producerId);
    }
    const { producerId, inTransaction } = message.batchContext ?? {};
    if (producerId === undefined || !aborted.has(producerId)) continue;
    if (message.isControlRecord) {
      if (message.key?.readInt16BE(CONTROL_TYPE_AT) === ABORT) aborted.delete(producerId);
    } else if (inTransaction) {
      message.isControlRecord = true;
    }
  }
  // What kafkajs would do itself is done.
  partition.abortedTransactions = [];
}
