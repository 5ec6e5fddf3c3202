/** What the archiver does with a batch, whichever of its two sources it comes from. */
import type { MSKEvent, SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import type { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { forEachBounded } from "../../runtime/for-each-bounded.ts";
import { kafkaLetter } from "./kafka-letter.ts";
import { entryFrom, type Letter } from "./letter.ts";
import { queueLetter } from "./queue-letter.ts";

/** Entries in work at once: under the 50 connections that the AWS clients keep. */
const MAX_IN_FLIGHT = 32;

export interface ArchivePorts {
  readonly objects: Pick<ArchiveObjects, "put">;
  readonly index: Pick<ArchiveIndex, "file">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What happened, for metrics. */
export interface ArchiveReport {
  readonly archived: number;
  /** In the archive already: delivered again. */
  readonly repeated: number;
  /** Messages of the queue that could not be filed, and why; they are delivered again. */
  readonly failed: readonly { readonly messageId: string; readonly error: unknown }[];
}

/** Files a batch of dead letters. Rejects where a store is away: then the mapping delivers the whole batch again. */
export async function archiveRecords(event: MSKEvent, ports: ArchivePorts): Promise<ArchiveReport> {
  const counts = { archived: 0, repeated: 0 };
  await forEachBounded(Object.values(event.records).flat(), MAX_IN_FLIGHT, async (record) => {
    counts[await file(kafkaLetter(record), ports)] += 1;
  });
  return { ...counts, failed: [] };
}

/** Files a batch of messages; those that could not be filed are in the report. */
export async function archiveMessages(event: SQSEvent, ports: ArchivePorts): Promise<ArchiveReport> {
  const counts = { archived: 0, repeated: 0 };
  const failed: { messageId: string; error: unknown }[] = [];
  await forEachBounded(event.Records, MAX_IN_FLIGHT, async (message) => {
    try {
      counts[await file(queueLetter(message), ports)] += 1;
    } catch (error) {
      failed.push({ messageId: message.messageId, error });
    }
  });
  return { ...counts, failed };
}

/** Partial batch response: only these messages stay in the queue. */
export const batchResponse = ({ failed }: ArchiveReport): SQSBatchResponse => ({
  batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })),
});

/** The object first: an item of the index always has its bytes. */
async function file(letter: Letter, { objects, index, now }: ArchivePorts): Promise<"archived" | "repeated"> {
  const entry = entryFrom(letter, now());
  await objects.put(entry, letter.bytes);
  return (await index.file(entry)) ? "archived" : "repeated";
}
