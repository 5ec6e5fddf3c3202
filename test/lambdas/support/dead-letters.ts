/** Dead letters as the archiver is given them: records of their topic, and messages of the queue. */
import type { MSKEvent, MSKRecord, SQSEvent, SQSRecord } from "aws-lambda";
import { deadLetterHeaders } from "../../../contracts/dead-letter.ts";
import { NOW_MS } from "./events.ts";

const origin = {
  [deadLetterHeaders.topic]: "flights",
  [deadLetterHeaders.partition]: "2",
  [deadLetterHeaders.offset]: "9007199254740993",
};

export const letterHeaders = {
  [deadLetterHeaders.reason]: "user-code-failed",
  [deadLetterHeaders.detail]: "map threw: no such airport",
  [deadLetterHeaders.stage]: "airport-delays",
  [deadLetterHeaders.content]: "record",
  ...origin,
};

/** A record of the topic of dead letters with this value. */
export function letter(
  value: unknown,
  headers: Readonly<Record<string, string>> = letterHeaders,
  changes: Partial<MSKRecord> = {},
): MSKRecord {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  return {
    topic: "dead-letters",
    partition: 0,
    offset: 0,
    timestamp: NOW_MS - 1_000,
    timestampType: "LOG_APPEND_TIME",
    key: Buffer.from("ATL").toString("base64"),
    value: bytes.toString("base64"),
    headers: Object.entries(headers).map(([name, text]) => ({
      [name]: Array.from(new Int8Array(Buffer.from(text))),
    })),
    ...changes,
  };
}

export const delivery = (...records: readonly MSKRecord[]): MSKEvent => ({
  eventSource: "aws:kafka",
  eventSourceArn: "arn:aws:kafka:test",
  bootstrapServers: "127.0.0.1:9092",
  records: { "dead-letters-0": [...records] },
});

export function message(body: unknown, changes: Partial<SQSRecord> = {}): SQSRecord {
  return {
    messageId: "0b8f7c1e-0000-4000-8000-000000000001",
    receiptHandle: "r",
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: String(NOW_MS - 2_000),
      SenderId: "s",
      ApproximateFirstReceiveTimestamp: String(NOW_MS),
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:test",
    awsRegion: "eu-central-1",
    ...changes,
  };
}

export const messages = (...Records: SQSRecord[]): SQSEvent => ({ Records });
