/** A dead letter of what a stream's record held: its bytes, and where it was. */
import type { KinesisStreamRecord } from "aws-lambda";
import { type DeadLetterReason, deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { PRODUCER_HEADER } from "../../contracts/producers.ts";
import { DEAD_LETTERS_TOPIC } from "../../contracts/topics.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";

export interface StreamFault {
  readonly stage: string;
  readonly reason: DeadLetterReason;
  /** Never values of the payload. */
  readonly detail: string;
  /** Who sent it, where that is established. */
  readonly producer?: string;
}

/** contracts/dead-letter.ts says what each header means. */
export function streamDeadLetter(
  { kinesis, eventSourceARN, eventID }: KinesisStreamRecord,
  value: Buffer,
  { stage, reason, detail, producer }: StreamFault,
): OutgoingRecord {
  return {
    topic: DEAD_LETTERS_TOPIC,
    // Dead letters of one record stay together; nothing else is known that is the same for all of them.
    key: Buffer.from(kinesis.sequenceNumber),
    value,
    headers: {
      [deadLetterHeaders.reason]: reason,
      [deadLetterHeaders.detail]: detail,
      [deadLetterHeaders.stage]: stage,
      [deadLetterHeaders.stream]: eventSourceARN.split("/").at(-1) ?? "",
      [deadLetterHeaders.shard]: eventID.split(":")[0] ?? "",
      [deadLetterHeaders.sequence]: kinesis.sequenceNumber,
      [deadLetterHeaders.content]: "record",
      ...(producer !== undefined && { [PRODUCER_HEADER]: producer }),
    },
  };
}
