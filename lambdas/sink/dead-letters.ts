/** Dead letters of the sink: the original bytes, unchanged, with their reason in headers. */
import type { MSKRecord } from "aws-lambda";
import { deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { DEAD_LETTERS_TOPIC } from "../../contracts/topics.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import type { RefusedRecord } from "./batch.ts";

const STAGE = "sink";

export interface DeadLetters {
  /** Resolves once Kafka holds all of them; rejects with KafkaUnavailableError after `timeoutMs`. */
  send(refused: readonly RefusedRecord[], timeoutMs: number): Promise<void>;
}

export class KafkaDeadLetters implements DeadLetters {
  readonly #publisher: RecordPublisher;

  /** The publisher must know {@link DEAD_LETTERS_TOPIC}. */
  constructor(publisher: RecordPublisher) {
    this.#publisher = publisher;
  }

  send(refused: readonly RefusedRecord[], timeoutMs: number): Promise<void> {
    return this.#publisher.publish(refused.map(deadLetter), timeoutMs);
  }
}

/** contracts/dead-letter.ts says what each header means. */
function deadLetter({ record, reason, detail }: RefusedRecord): OutgoingRecord {
  return {
    topic: DEAD_LETTERS_TOPIC,
    key: bytes(record.key),
    value: bytes(record.value),
    headers: {
      [deadLetterHeaders.reason]: reason,
      [deadLetterHeaders.detail]: detail,
      [deadLetterHeaders.stage]: STAGE,
      [deadLetterHeaders.topic]: record.topic,
      [deadLetterHeaders.partition]: String(record.partition),
      [deadLetterHeaders.offset]: String(record.offset),
      [deadLetterHeaders.content]: "record",
    },
  };
}

/** The mapping leaves a null key or value out, whatever its type says. */
const bytes = (base64: MSKRecord["value"] | undefined): Buffer | null =>
  base64 === undefined || base64 === null ? null : Buffer.from(base64, "base64");
