/** Records of the topic of dead letters (contracts/dead-letter.ts), as the Kafka mapping delivers them. */
import type { MSKRecord } from "aws-lambda";
import { type DeadLetterContent, deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { type ArchivedBytes, type EntrySource, isEntryReason } from "../../contracts/dead-letter-archive.ts";
import type { Letter } from "./letter.ts";

const UNKNOWN_STAGE = "unknown";
const contents: readonly string[] = ["record", "excerpt", "pane"] satisfies readonly DeadLetterContent[];

/**
 * A dead letter comes more than once: the mapping reads what a transaction that is aborted has written, and the engine
 * then writes it again, elsewhere in the topic. So its identity is where its record was; that of a pane, which was
 * nowhere, are its bytes alone.
 */
export function kafkaLetter(record: MSKRecord): Letter {
  const bytes = bytesOf(record);
  const header: Header = (name) => textOf(bytes, deadLetterHeaders[name]);
  const reason = header("reason");
  const content = header("content");
  const origin = recordOf(header) ?? streamRecordOf(header);
  return {
    kind: content !== undefined && contents.includes(content) ? (content as DeadLetterContent) : "message",
    reason: isEntryReason(reason) ? reason : "unclassified",
    stage: header("stage") || UNKNOWN_STAGE,
    source: origin ?? placeOf(record),
    detail: header("detail") ?? "The record has no headers of a dead letter.",
    identity: identityOf(record, origin, content),
    atMs: record.timestamp,
    bytes,
  };
}

/** The text of a dead letter's header; undefined where it has none. */
type Header = (name: keyof typeof deadLetterHeaders) => string | undefined;

function identityOf(record: MSKRecord, origin: EntrySource | undefined, content: string | undefined): string {
  if (origin !== undefined) return JSON.stringify(origin);
  return content === "pane" ? "" : JSON.stringify(placeOf(record));
}

const placeOf = ({ topic, partition, offset }: MSKRecord): EntrySource => ({
  kind: "kafka",
  topic,
  partition,
  offset: String(offset),
});

function recordOf(header: Header): EntrySource | undefined {
  const [topic, partition, offset] = [header("topic"), header("partition"), header("offset")];
  if (!topic || !isDecimal(partition) || !isDecimal(offset)) return undefined;
  return { kind: "kafka", topic, partition: Number(partition), offset };
}

function streamRecordOf(header: Header): EntrySource | undefined {
  const [stream, shard, sequence] = [header("stream"), header("shard"), header("sequence")];
  return stream && shard && sequence ? { kind: "kinesis", stream, shard, sequence } : undefined;
}

const isDecimal = (text: string | undefined): text is string => text !== undefined && /^\d{1,19}$/.test(text);

const textOf = ({ headers }: ArchivedBytes, name: string): string | undefined => {
  const found = headers.find(([candidate]) => candidate === name);
  return found && Buffer.from(found[1]).toString();
};

/** The mapping leaves a null key or value out, whatever its type says, and gives headers as signed bytes. */
const bytesOf = ({ key, value, headers }: MSKRecord): ArchivedBytes => ({
  key: decoded(key),
  value: decoded(value),
  headers: (headers ?? []).flatMap((header) =>
    Object.entries(header).map(([name, values]) => [name, Uint8Array.from(values)] as const),
  ),
});

const decoded = (base64: string | null | undefined): Buffer | null =>
  base64 === undefined || base64 === null ? null : Buffer.from(base64, "base64");
