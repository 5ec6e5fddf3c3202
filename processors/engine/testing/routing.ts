/** Which partition a record belongs in when nobody produced it: what a producer that does as it should would choose. */
import { keyHash } from "../../../contracts/partitioning.ts";
import type { InputDefinition } from "../pipeline/definition.ts";
import { IGNORED } from "../pipeline/source.ts";
import { elementsOf, enquiryInto, type KnownAnswer } from "../task/enquiry.ts";

const utf8 = new TextEncoder();

/**
 * The Kafka key that the pipeline expects of a record with this value: the key of the (first) element that it becomes.
 * Null where there is none: the value cannot be read, is not this pipeline's, is filtered out, its key is no text, or a
 * service's answer decides that is not known.
 */
export function expectedKey(
  input: InputDefinition,
  value: Uint8Array,
  answerTo: KnownAnswer = () => undefined,
): string | null {
  try {
    const elements = knownElements(input, value, answerTo);
    if (elements.length === 0) return null;
    const text: unknown = input.key(elements[0]);
    return typeof text === "string" && text !== "" && text.isWellFormed() ? text : null;
  } catch {
    // The task will meet the same error, and say in a dead letter what it is.
    return null;
  }
}

function knownElements(input: InputDefinition, value: Uint8Array, answerTo: KnownAnswer): readonly unknown[] {
  if (input.enrich === null) {
    const event = input.source.decode(value);
    return event === IGNORED ? [] : elementsOf(input, event, undefined);
  }
  const enquiry = enquiryInto(input, value);
  if (enquiry === null) return [];
  enquiry.answerFrom(answerTo);
  return enquiry.complete ? elementsOf(input, enquiry.event, enquiry) : [];
}

/**
 * The partition of a record among `partitions`: murmur2 of its key, as Kafka's clients choose. A record without a key
 * goes where its value's bytes decide, so that it is the same partition each time.
 */
export function partitionOfRecord(key: string | null, value: Uint8Array, partitions: number): number {
  return keyHash(key === null ? value : utf8.encode(key)) % partitions;
}
