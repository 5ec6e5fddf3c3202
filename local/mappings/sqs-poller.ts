import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { MAX_BATCH_BYTES, type Poller, type PollerOptions, pause } from "./mapping.ts";
import { itemFailures } from "./stream-batch.ts";

const DEFAULT_BATCH_SIZE = 10;
/** SQS's own limit on one receive and one delete. */
const MAX_MESSAGES_PER_CALL = 10;
/** Lambda begins with five pollers, and so five concurrent invocations (Lambda, SQS scaling). */
const DEFAULT_CONCURRENCY = 5;
const LONG_POLL_SECONDS = 2;
const RETRY_MS = 500;

export interface SqsPollerOptions extends PollerOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
}

/**
 * Lambda's poller for a queue: deletes what the function has processed, and leaves the rest to the queue's
 * visibility timeout and redrive policy.
 */
export class SqsPoller implements Poller {
  readonly #options: SqsPollerOptions;
  readonly #abort = new AbortController();
  #loops: readonly Promise<void>[] = [];

  constructor(options: SqsPollerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const loops = this.#options.settings.maxConcurrency ?? DEFAULT_CONCURRENCY;
    this.#loops = Array.from({ length: loops }, () => this.#poll());
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#loops);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        const messages = await this.#gather();
        if (messages.length > 0) await this.#process(messages);
      } catch {
        // The queue is away (a cut link, a stopping platform); its messages wait.
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** Receives until the batch is full, or its window is over; without a window whatever one receive gives. */
  async #gather(): Promise<Message[]> {
    const { settings } = this.#options;
    const wanted = settings.batchSize ?? DEFAULT_BATCH_SIZE;
    const messages: Message[] = [];
    let bytes = 0;
    let endMs = Number.POSITIVE_INFINITY;
    while (messages.length < wanted && bytes < MAX_BATCH_BYTES) {
      const leftSeconds = Math.ceil((endMs - Date.now()) / 1000);
      const received = await this.#receive(
        Math.min(wanted - messages.length, MAX_MESSAGES_PER_CALL),
        Math.max(0, Math.min(LONG_POLL_SECONDS, leftSeconds)),
      );
      messages.push(...received);
      bytes += received.reduce((sum, { Body = "" }) => sum + Buffer.byteLength(Body), 0);
      if (messages.length === 0 || settings.windowMs === undefined || settings.windowMs === 0) break;
      if (endMs === Number.POSITIVE_INFINITY) endMs = Date.now() + settings.windowMs;
      if (Date.now() >= endMs) break;
    }
    return messages;
  }

  async #receive(count: number, waitSeconds: number): Promise<Message[]> {
    const { client, queueUrl } = this.#options;
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: count,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
      { abortSignal: this.#abort.signal },
    );
    return Messages;
  }

  async #process(messages: readonly Message[]): Promise<void> {
    const { target, settings, region, name, warn } = this.#options;
    const result = await target.invoke(sqsEvent(settings.sourceArn, region, messages));
    if (result.kind !== "answer") {
      const reason = result.kind === "error" ? result.error.errorType : result.kind;
      warn(
        `${name}: ${messages.length} messages failed (${reason}); they come again after their visibility timeout`,
      );
      return;
    }
    await this.#delete(settings.reportsItemFailures ? succeeded(messages, result.payload) : messages);
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    const { client, queueUrl } = this.#options;
    for (let start = 0; start < messages.length; start += MAX_MESSAGES_PER_CALL) {
      const Entries = messages.slice(start, start + MAX_MESSAGES_PER_CALL).map((message, index) => ({
        Id: String(index),
        ReceiptHandle: message.ReceiptHandle,
      }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }
}

/** Messages the function did not report; none where its report is malformed or names an unknown message. */
export function succeeded(messages: readonly Message[], payload: string): readonly Message[] {
  const failed = itemFailures(payload);
  const known = new Set(messages.map(({ MessageId }) => MessageId));
  if (failed === undefined || failed.some((id) => !known.has(id))) return [];
  return messages.filter(({ MessageId = "" }) => !failed.includes(MessageId));
}

/** The event of one batch, as JSON text. */
export function sqsEvent(sourceArn: string, region: string, messages: readonly Message[]): string {
  return JSON.stringify({
    Records: messages.map((message) => ({
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: messageAttributes(message),
      md5OfBody: message.MD5OfBody,
      eventSource: "aws:sqs",
      eventSourceARN: sourceArn,
      awsRegion: region,
    })),
  });
}

const messageAttributes = ({ MessageAttributes = {} }: Message): object =>
  Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType,
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
        stringListValues: [],
        binaryListValues: [],
      },
    ]),
  );
