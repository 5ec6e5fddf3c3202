/**
 * Kinesis mapping of a producer's stream → Kafka: the door for producers that send with PutRecords. Takes the mapping's
 * batches of one shard (KinesisStreamEvent), each record a CloudEvent in structured JSON or a JSON array of them, and
 * answers which record they are to be given again from, if from any (partial batch response).
 */
import { environmentVariables } from "../../contracts/environment.ts";
import { requireEnvironment, requireEnvironmentList } from "../../runtime/environment.ts";
import { shardFunction } from "../forward/shard-function.ts";
import { producer } from "../ingest/producer.ts";
import { passDoor } from "./door.ts";

const sender = producer(
  requireEnvironment(environmentVariables.producer),
  requireEnvironmentList(environmentVariables.eventTypes),
);

export const handler = shardFunction("door", (event, ports) => passDoor(event, sender, ports));
