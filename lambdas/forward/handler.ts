/**
 * Kinesis mapping of the spillway stream → Kafka. Takes the mapping's batches of one shard (KinesisStreamEvent) and
 * answers which record they are to be given again from, if from any (partial batch response). An outage is not poison:
 * the mapping tries without end, and what is older than the mapping's maximum age goes to its destination.
 */
import { forward } from "./forward.ts";
import { shardFunction } from "./shard-function.ts";

export const handler = shardFunction("forward", forward);
