/** Dead letters of the sink: the original bytes, unchanged, with their reason in headers. */
import type { MSKRecord } from "aws-lambda";
import type { Kafka, Message, Producer } from "kafkajs";
import { deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { DEAD_LETTERS_TOPIC } from "../../contracts/topics.ts";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import { ReusedProducer } from "../../runtime/producer.ts";
import type { RefusedRecord } from "./batch.ts";

const STAGE = "sink";

export interface DeadLetters {
  /** Resolves once Kafka holds all of them; rejects with {@link KafkaUnavailableError} after `timeoutMs`. */
  send(refused: readonly RefusedRecord[], timeoutMs: number): Promise<void>;
}

export class KafkaDeadLetters implements DeadLetters {
  readonly #producer: ReusedProducer;

  constructor(kafka: Pick<Kafka, "producer">) {
    this.#producer = new ReusedProducer(kafka);
  }

  /** One record a send: it then has one leader only, whose answer cannot go missing among others'. */
  async send(refused: readonly RefusedRecord[], timeoutMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      for (const record of refused)
        await this.#producer.use(deadline, (producer) => sendOne(producer, record));
    } catch (error) {
      throw new KafkaUnavailableError(
        "Kafka did not take a dead letter.",
        "Nothing: the mapping delivers the batch again. If it lasts, look at the brokers and the network.",
        error,
      );
    }
  }
}

async function sendOne(producer: Producer, refused: RefusedRecord): Promise<void> {
  const [answer] = await producer.send({
    topic: DEAD_LETTERS_TOPIC,
    acks: -1,
    messages: [deadLetter(refused)],
  });
  if (answer?.errorCode !== 0) throw new Error("Kafka did not acknowledge a dead letter.");
}

/** contracts/dead-letter.ts says what each header means. */
function deadLetter({ record, reason, detail }: RefusedRecord): Message {
  return {
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
