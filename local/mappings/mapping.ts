import { setTimeout as sleep } from "node:timers/promises";
import { arrayOf, booleanOf, type JsonObject, numberOf, objectOf, textOf } from "../assembly/json.ts";
import type { LambdaFunction } from "../functions/function.ts";

/** The invocation payload's limit, with room for the event's own text around the records. */
export const MAX_BATCH_BYTES = 6 * 1024 * 1024 - 64 * 1024;

/** An event source mapping's settings; absent ones are the source's defaults. */
export interface MappingSettings {
  readonly sourceArn: string;
  readonly batchSize: number | undefined;
  readonly windowMs: number | undefined;
  readonly startingPosition: string | undefined;
  readonly startingTimestampMs: number | undefined;
  readonly reportsItemFailures: boolean;
  readonly bisects: boolean;
  readonly maxRetries: number | undefined;
  readonly maxRecordAgeMs: number | undefined;
  readonly onFailureArn: string | undefined;
  readonly topics: readonly string[];
  readonly consumerGroup: string | undefined;
  readonly maxConcurrency: number | undefined;
  readonly enabled: boolean;
}

/** Reads the resolved properties of an AWS::Lambda::EventSourceMapping. −1 means without limit there. */
export function mappingSettings(properties: JsonObject): MappingSettings {
  const window = numberOf(properties.MaximumBatchingWindowInSeconds);
  const startingTimestamp = numberOf(properties.StartingPositionTimestamp);
  const age = limit(numberOf(properties.MaximumRecordAgeInSeconds));
  return {
    sourceArn: textOf(properties.EventSourceArn) ?? "",
    batchSize: numberOf(properties.BatchSize),
    windowMs: window === undefined ? undefined : window * 1000,
    startingPosition: textOf(properties.StartingPosition),
    startingTimestampMs: startingTimestamp === undefined ? undefined : startingTimestamp * 1000,
    reportsItemFailures: arrayOf(properties.FunctionResponseTypes).includes("ReportBatchItemFailures"),
    bisects: booleanOf(properties.BisectBatchOnFunctionError) ?? false,
    maxRetries: limit(numberOf(properties.MaximumRetryAttempts)),
    maxRecordAgeMs: age === undefined ? undefined : age * 1000,
    onFailureArn: textOf(objectOf(objectOf(properties.DestinationConfig).OnFailure).Destination),
    topics: arrayOf(properties.Topics).map(String),
    consumerGroup: textOf(objectOf(properties.AmazonManagedKafkaEventSourceConfig).ConsumerGroupId),
    maxConcurrency: numberOf(objectOf(properties.ScalingConfig).MaximumConcurrency),
    enabled: booleanOf(properties.Enabled) ?? true,
  };
}

const limit = (value: number | undefined): number | undefined => (value === -1 ? undefined : value);

/** What every poller needs. */
export interface PollerOptions {
  readonly name: string;
  readonly region: string;
  readonly settings: MappingSettings;
  readonly target: LambdaFunction;
  readonly warn: (line: string) => void;
}

export interface Poller {
  /** Resolves once the position to read from is fixed: what is written after that is delivered. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Waits, and returns whether the poller still runs. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
