/** Which partition a record belongs in when nobody produced it: what a producer that does as it should would choose. */
import { keyHash } from "../../../contracts/partitioning.ts";
import type { InputDefinition } from "../pipeline/definition.ts";
import { IGNORED } from "../pipeline/source.ts";

const utf8 = new TextEncoder();

/**
 * The Kafka key that the pipeline expects of a record with this value: the key of the (first) element that it becomes.
 * Null where there is none: the value cannot be read, is not this pipeline's, is filtered out, or its key is no text.
 */
export function expectedKey({ source, transform, key }: InputDefinition, value: Uint8Array): string | null {
  try {
    const event = source.decode(value);
    if (event === IGNORED) return null;
    const elements = transform === null ? [event] : transform(event);
    if (elements.length === 0) return null;
    const text: unknown = key(elements[0]);
    return typeof text === "string" && text !== "" && text.isWellFormed() ? text : null;
  } catch {
    // The task will meet the same error, and say in a dead letter what it is.
    return null;
  }
}

/**
 * The partition of a record among `partitions`: murmur2 of its key, as Kafka's clients choose. A record without a key
 * goes where its value's bytes decide, so that it is the same partition each time.
 */
export function partitionOfRecord(key: string | null, value: Uint8Array, partitions: number): number {
  return keyHash(key === null ? value : utf8.encode(key)) % partitions;
}
