/**
 * Sends the events of batches again that streams' mappings gave up for their age: a spilled event as it is, as the door has
 * accepted it once; a record of a producer's stream as its door would pass it today, dead letters of what it refuses
 * included. An object is moved away once all of it is in Kafka, so that the next redrive does not find it; one that dies
 * between leaves it, and pipelines count (source, id) once.
 */
import type { KinesisStreamEvent } from "aws-lambda";
import type {
  AgedOutAnswer,
  AgedOutBucket,
  AgedOutProgress,
  AgedOutRequest,
} from "../../contracts/aged-out.ts";
import { doorMapping, FORWARD_HIGH_MAPPING, FORWARD_MAPPING } from "../../contracts/flow-control.ts";
import type { DoorRules } from "../../contracts/producers.ts";
import type { AgedOutObjects } from "../../runtime/archive/aged-out-objects.ts";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import { readDoorRecord } from "../door/door.ts";
import { readSpilledRecord } from "../forward/forward.ts";
import type { ReadRecord } from "../forward/shard.ts";
import { producer } from "../ingest/producer.ts";

const PUBLISH_TIMEOUT_MS = 15_000;
/** For an object that is under way: its send, and its two writes to the bucket. */
const END_MARGIN_MS = 30_000;

export interface AgedOutPorts {
  readonly objects: Pick<AgedOutObjects, "keys" | "get" | "moveAway">;
  readonly buckets: readonly AgedOutBucket[];
  /** What the producers of Kinesis doors may send. */
  readonly doors: DoorRules;
  readonly publisher: Pick<RecordPublisher, "publish">;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const nothing: AgedOutProgress = { objects: 0, events: 0, dead: 0, kept: 0 };

/** Works through all buckets until their end, or the time is over. Rejects where a bucket is away. */
export async function redriveAgedOut(
  request: AgedOutRequest,
  remainingMs: () => number,
  ports: AgedOutPorts,
): Promise<AgedOutAnswer> {
  let progress = request.progress ?? nothing;
  const isEnough = (): boolean =>
    progress.objects + progress.kept >= (request.maxObjects ?? Number.POSITIVE_INFINITY);
  for (const source of bucketsFrom(ports.buckets, progress)) {
    const { bucket } = source;
    for await (const key of ports.objects.keys(bucket, afterIn(bucket, progress))) {
      if (isEnough()) return { end: "done", progress };
      if (remainingMs() < END_MARGIN_MS) return { end: "more", progress };
      const text = await ports.objects.get(bucket, key);
      const records = text === undefined ? [] : recordsOf(text, source, ports.doors);
      if (records === undefined) {
        progress = { ...progress, kept: progress.kept + 1, after: { bucket, key } };
        continue;
      }
      const outgoing = records.flatMap((record) => record.outgoing);
      const dead = records.reduce((sum, record) => sum + record.dead, 0);
      if (request.execute && text !== undefined) {
        try {
          await ports.publisher.publish(outgoing, PUBLISH_TIMEOUT_MS);
        } catch (error) {
          if (!(error instanceof KafkaUnavailableError)) throw error;
          return { end: "stopped", reason: error.message, progress };
        }
        await ports.objects.moveAway(bucket, key, text);
      }
      progress = {
        ...progress,
        objects: progress.objects + 1,
        events: progress.events + outgoing.length - dead,
        dead: progress.dead + dead,
        after: { bucket, key },
      };
      if (request.execute) await ports.sleep(pauseMs(outgoing.length, request, remainingMs()));
    }
  }
  return { end: "done", progress };
}

/** An object goes as a whole; the pause after it makes the rate, but for what the end of a call cuts off. */
const pauseMs = (events: number, { eventsPerSecond }: AgedOutRequest, remainingMs: number): number =>
  Math.max(0, Math.min((1_000 * events) / eventsPerSecond, remainingMs - END_MARGIN_MS));

function bucketsFrom(
  buckets: readonly AgedOutBucket[],
  { after }: AgedOutProgress,
): readonly AgedOutBucket[] {
  return buckets.slice(
    Math.max(
      0,
      buckets.findIndex(({ bucket }) => bucket === after?.bucket),
    ),
  );
}

const afterIn = (bucket: string, { after }: AgedOutProgress): string | undefined =>
  after?.bucket === bucket ? after.key : undefined;

/** Undefined of what is no batch, or of a door that is not in the configuration. */
function recordsOf(
  text: string,
  { mapping }: AgedOutBucket,
  doors: DoorRules,
): readonly ReadRecord[] | undefined {
  const records = payloadOf(text);
  if (records === undefined) return undefined;
  // Which bucket it lies in says how it is read, never its bytes: a producer writes what it likes into its own stream.
  if (mapping === FORWARD_MAPPING || mapping === FORWARD_HIGH_MAPPING) return records.map(readSpilledRecord);
  const name = Object.keys(doors).find((door) => doorMapping(door) === mapping);
  if (name === undefined) return undefined;
  const sender = producer(name, doors[name]!);
  return records.map((record) => readDoorRecord(record, sender));
}

/** The batch as the function got it, which the invocation record holds as text. */
function payloadOf(text: string): KinesisStreamEvent["Records"] | undefined {
  try {
    const { payload } = JSON.parse(text) as { readonly payload?: string };
    const { Records } = JSON.parse(payload ?? "null") as KinesisStreamEvent;
    return Array.isArray(Records) ? Records : undefined;
  } catch {
    return undefined;
  }
}
