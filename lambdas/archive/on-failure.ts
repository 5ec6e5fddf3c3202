/**
 * What Lambda itself sends to an on-failure destination, as JSON. Of a stream's or a topic's mapping it says only which
 * records were dropped (`KinesisBatchInfo`, `DDBStreamBatchInfo`, `KafkaBatchInfo`), of an asynchronous call it holds
 * the request (`requestPayload`). Shapes: Lambda's developer guide, "Retain discarded batch records for a Kinesis Data
 * Streams event source", "Capturing discarded batches for an Amazon MSK event source" and "Capturing records of Lambda
 * asynchronous invocations".
 */
import type { EntrySource } from "../../contracts/dead-letter-archive.ts";
import type { Letter } from "./letter.ts";

type Json = Readonly<Record<string, unknown>>;

/** Undefined where the text is no such record. */
export function onFailureLetter(
  body: string,
): Pick<Letter, "kind" | "reason" | "stage" | "source" | "detail" | "attempts" | "atMs"> | undefined {
  const record = parse(body);
  const context = objectOf(record?.requestContext);
  const functionArn = textOf(context?.functionArn);
  const requestId = textOf(context?.requestId);
  if (record === undefined || functionArn === undefined || requestId === undefined) return undefined;
  const source = batchOf(record);
  const isBatch = source !== undefined || "DDBStreamBatchInfo" in record || "KafkaBatchInfo" in record;
  if (!isBatch && !("requestPayload" in record)) return undefined;
  const attempts = context?.approximateInvokeCount;
  return {
    kind: isBatch ? "batch" : "invocation",
    reason: isBatch ? "batch-dropped" : "invocation-failed",
    stage: functionName(functionArn),
    source: source ?? { kind: "request", requestId },
    detail: detailOf(record, textOf(context?.condition)),
    ...(Number.isInteger(attempts) && { attempts: attempts as number }),
    atMs: Date.parse(textOf(record.timestamp) ?? ""),
  };
}

function batchOf(record: Json): EntrySource | undefined {
  return kinesisBatch(objectOf(record.KinesisBatchInfo)) ?? kafkaBatch(objectOf(record.KafkaBatchInfo));
}

function kinesisBatch(batch: Json | undefined): EntrySource | undefined {
  const [streamArn, shard, sequence, lastSequence] = [
    batch?.streamArn,
    batch?.shardId,
    batch?.startSequenceNumber,
    batch?.endSequenceNumber,
  ].map(textOf);
  if (!streamArn || !shard || !sequence || !lastSequence) return undefined;
  const stream = streamArn.split("/").at(-1)!;
  return { kind: "kinesis", stream, shard, sequence, lastSequence, records: Number(batch?.batchSize) };
}

/** `recordsInfo` is by `topic-partition`; a batch of several partitions is found in the bytes. */
function kafkaBatch(batch: Json | undefined): EntrySource | undefined {
  const partitions = Object.entries(objectOf(batch?.recordsInfo) ?? {});
  const [name, info] = partitions[0] ?? [];
  const place = /^(.+)-(\d+)$/.exec(name ?? "");
  if (partitions.length !== 1 || place === null) return undefined;
  const [offset, lastOffset] = [objectOf(info)?.firstRecordOffset, objectOf(info)?.lastRecordOffset].map(
    textOf,
  );
  if (offset === undefined) return undefined;
  return {
    kind: "kafka",
    topic: place[1]!,
    partition: Number(place[2]),
    offset,
    ...(lastOffset !== undefined && { lastOffset }),
  };
}

/** Names of conditions and errors, never their messages: those may quote what the function was given. */
function detailOf({ responseContext, responsePayload }: Json, condition: string | undefined): string {
  const errorType = textOf(objectOf(responsePayload)?.errorType);
  const functionError = textOf(objectOf(responseContext)?.functionError);
  return `Lambda gave it up: ${[condition, functionError, errorType].filter((part) => part !== undefined).join(", ")}.`;
}

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, and perhaps a qualifier. */
const functionName = (arn: string): string => arn.split(":")[6] || arn;

function parse(body: string): Json | undefined {
  try {
    return objectOf(JSON.parse(body));
  } catch {
    return undefined;
  }
}

const objectOf = (value: unknown): Json | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

const textOf = (value: unknown): string | undefined => {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
};
