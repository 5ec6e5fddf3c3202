/** Values that can be told apart by `===` and kept in a Map: text and numbers. The text "1" is not the number 1. */
import { type ByteReader, type ByteWriter, CorruptBytesError } from "../state/bytes.ts";

export type Scalar = string | number;

/** A text of which each is kept may have this many bytes of UTF-8. */
export const MAX_SCALAR_BYTES = 1_024;

const NUMBER = 0;
const TEXT = 1;

/** Why a value is none. UTF-8 has no half characters: two such texts would be one after a recovery. */
export function refuseScalar(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "is not a finite number";
  if (typeof value !== "string") return "is not text or a number";
  return value.isWellFormed() ? undefined : "is text that is not well-formed Unicode";
}

/** Why a value is none, or too long to be kept. */
export function refuseKeptScalar(value: unknown): string | undefined {
  const problem = refuseScalar(value);
  if (problem !== undefined || typeof value !== "string" || value.length * 3 <= MAX_SCALAR_BYTES)
    return problem;
  const bytes = Buffer.byteLength(value);
  return bytes <= MAX_SCALAR_BYTES
    ? undefined
    : `is text of ${bytes} bytes; the limit is ${MAX_SCALAR_BYTES}`;
}

/** Numbers before texts, numbers by size, texts by UTF-16 code units. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function writeScalar(writer: ByteWriter, value: Scalar): void {
  if (typeof value === "number") {
    writer.varint(NUMBER);
    writer.float64(value);
  } else {
    writer.varint(TEXT);
    writer.text(value);
  }
}

export function readScalar(reader: ByteReader): Scalar {
  const type = reader.varint();
  if (type === NUMBER) return reader.float64();
  if (type === TEXT) return reader.text();
  throw new CorruptBytesError(`a value of an aggregate is neither a number (0) nor text (1), but ${type}`);
}
