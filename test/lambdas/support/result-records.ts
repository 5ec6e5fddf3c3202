/** Result records, as pipelines write them and as the Kafka mapping delivers them. */
import type { MSKEvent, MSKRecord } from "aws-lambda";
import type { ResultRecord } from "../../../contracts/results.ts";

export const HOUR_MS = 3_600_000;
export const DAY_START_MS = Date.UTC(2001, 0, 31);

export const result: ResultRecord = {
  kind: "result",
  pipeline: "airport-delays",
  key: "ATL",
  window: { start: DAY_START_MS, end: DAY_START_MS + HOUR_MS },
  value: { flights: 3, meanDelayMin: 1.5 },
  revision: 1,
  version: { generation: 1, checkpoint: 7, index: 0 },
};

export const atHour = (hour: number, changes: Partial<ResultRecord> = {}): ResultRecord => ({
  ...result,
  window: { start: DAY_START_MS + hour * HOUR_MS, end: DAY_START_MS + (hour + 1) * HOUR_MS },
  ...changes,
});

/** A record of the results topic with this value; offsets count up from 0 in {@link delivery}. */
export function mskRecord(value: unknown, changes: Partial<MSKRecord> = {}): MSKRecord {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  return {
    topic: "airport-delays.results",
    partition: 0,
    offset: 0,
    timestamp: 0,
    timestampType: "LOG_APPEND_TIME",
    key: Buffer.from("ATL").toString("base64"),
    value: bytes.toString("base64"),
    headers: [],
    ...changes,
  };
}

export function delivery(records: readonly MSKRecord[]): MSKEvent {
  return {
    eventSource: "aws:kafka",
    eventSourceArn: "arn:aws:kafka:test",
    bootstrapServers: "127.0.0.1:9092",
    records: { "airport-delays.results-0": records.map((record, offset) => ({ ...record, offset })) },
  };
}
