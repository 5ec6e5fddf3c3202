/** Reads the spillway's records; what cannot be read becomes a dead letter. */
import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { EVENT_HEADERS } from "../../contracts/cloudevent.ts";
import { PRODUCER_HEADER } from "../../contracts/producers.ts";
import { type SpilledBatch, unpackSpilled } from "../../contracts/spillway-record.ts";
import { topics } from "../../contracts/topics.ts";
import { TRACEPARENT } from "../../contracts/traceparent.ts";
import { within } from "../../runtime/tracing.ts";
import { type ReadRecord, type ShardOutcome, type ShardPorts, shardAttributes, writeShard } from "./shard.ts";
import { streamDeadLetter } from "./stream-dead-letter.ts";

const STAGE = "forward";

/** Moves a batch of one shard to Kafka; see shard.ts for what is postponed. */
export function forward({ Records }: KinesisStreamEvent, ports: ShardPorts): Promise<ShardOutcome> {
  const records = Records.map(readSpilledRecord);
  const span = ports.tracing.continue(
    STAGE,
    records.flatMap(({ traceparent }) => traceparent ?? []),
  );
  return within(span, () => writeShard(records, ports), shardAttributes);
}

/** A record's events as they were accepted; a dead letter where it is none. */
export function readSpilledRecord(record: KinesisStreamRecord): ReadRecord {
  const { sequenceNumber, data, approximateArrivalTimestamp } = record.kinesis;
  const bytes = Buffer.from(data, "base64");
  const batch = unpackSpilled(bytes);
  const fault = typeof batch === "string" ? batch : faultOf(batch);
  if (fault === undefined) {
    const { arrivalMs, producer, traceparent, events } = batch as SpilledBatch;
    const headers = {
      ...EVENT_HEADERS,
      [PRODUCER_HEADER]: producer,
      ...(traceparent !== undefined && { [TRACEPARENT]: traceparent }),
    };
    const outgoing = events.map((event) => ({ ...event, headers }));
    return {
      sequenceNumber,
      outgoing,
      topics: new Set(events.map(({ topic }) => topic)),
      dead: 0,
      arrivalMs,
      traceparent,
    };
  }
  const arrivalMs = approximateArrivalTimestamp * 1_000;
  const outgoing = [streamDeadLetter(record, bytes, { stage: STAGE, reason: "undecodable", detail: fault })];
  return { sequenceNumber, outgoing, topics: new Set(), dead: 1, arrivalMs };
}

function faultOf({ events }: SpilledBatch): string | undefined {
  const stray = events.find(({ topic }) => !(topic in topics));
  return (
    stray && `One of its events is for the topic ${JSON.stringify(stray.topic)}, which no event goes to.`
  );
}
