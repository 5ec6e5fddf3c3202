import type { KafkaMessage } from "kafkajs";

/** One record as it is handed to the function. */
export interface KafkaEventRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: "CREATE_TIME" | "LOG_APPEND_TIME";
  readonly key?: string;
  readonly value?: string;
  readonly headers: readonly Readonly<Record<string, readonly number[]>>[];
}

/** kafkajs hands the batch's attributes along without declaring them. */
interface BatchContext {
  readonly batchContext?: { readonly timestampType?: number };
}
const LOG_APPEND_TIME = 1;

export function kafkaEventRecord(topic: string, partition: number, message: KafkaMessage): KafkaEventRecord {
  const timestampType = (message as BatchContext).batchContext?.timestampType;
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    timestampType: timestampType === LOG_APPEND_TIME ? "LOG_APPEND_TIME" : "CREATE_TIME",
    ...(message.key === null ? {} : { key: message.key.toString("base64") }),
    ...(message.value === null ? {} : { value: message.value.toString("base64") }),
    headers: Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
      [values ?? []].flat().map((value) => ({ [name]: signedBytes(value) })),
    ),
  };
}

/** The pollers are Java: a header's bytes come as numbers from −128 to 127 (aws-lambda-dotnet, pull request 1476). */
const signedBytes = (value: Buffer | string): number[] => Array.from(new Int8Array(Buffer.from(value)));

/** The event of one batch, as JSON text. */
export function kafkaEvent(
  sourceArn: string,
  bootstrapServers: string,
  records: readonly KafkaEventRecord[],
): string {
  const byPartition: Record<string, KafkaEventRecord[]> = {};
  for (const record of records) {
    const name = `${record.topic}-${record.partition}`;
    byPartition[name] ??= [];
    byPartition[name].push(record);
  }
  return JSON.stringify({
    eventSource: "aws:kafka",
    eventSourceArn: sourceArn,
    bootstrapServers,
    records: byPartition,
  });
}

/** About how many bytes the record takes in the event's JSON. */
export const kafkaRecordBytes = (record: KafkaEventRecord): number =>
  200 +
  (record.key?.length ?? 0) +
  (record.value?.length ?? 0) +
  record.headers.reduce((sum, header) => {
    const [name, bytes] = Object.entries(header)[0]!;
    return sum + name.length + 5 * bytes.length + 8;
  }, 0);
