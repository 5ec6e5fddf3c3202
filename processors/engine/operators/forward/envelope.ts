/**
 * An element on its way to the tasks that keep its new key, as JSON: its event time, the identity of its event where
 * the pipeline dedupes, and itself. What JSON does not hold (a Date, NaN, undefined) arrives as JSON has it.
 */
import { decodeText } from "../../pipeline/source.ts";

/** An element, and what makes two events of it the same; the identity is absent where the pipeline does not dedupe. */
export interface Identified {
  readonly element: unknown;
  readonly identity?: string;
}

export interface Forwarded extends Identified {
  /** Event time, milliseconds since the epoch. */
  readonly time: number;
}

const utf8 = new TextEncoder();

/** @throws TypeError where the element is not JSON */
export function encodeForwarded({ element, identity }: Identified, time: number): Uint8Array {
  return utf8.encode(JSON.stringify({ time, identity, element }));
}

/** @throws Error where the bytes are not a forwarded element */
export function decodeForwarded(value: Uint8Array): Forwarded {
  let decoded: unknown;
  try {
    decoded = JSON.parse(decodeText(value));
  } catch {
    // The parser's own message quotes the payload, which must not reach a header or a log.
    throw new Error("the value is not a forwarded element");
  }
  if (typeof decoded !== "object" || decoded === null || !("time" in decoded)) {
    throw new Error("the value is not a forwarded element");
  }
  return decoded as Forwarded;
}
