/**
 * CRC-32C (Castagnoli), which Kafka's record batches carry: RFC 3720, appendix B.4. Eight bytes a step, each with a table
 * of its own ("slicing by 8"), as a byte a step takes longer than everything else about a batch.
 */

/** The polynomial with its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

/** `tables[n * 256 + b]`: what byte b does to the checksum n bytes later. */
const tables = new Int32Array(SLICES * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  tables[byte] = crc;
}
for (let index = 256; index < tables.length; index++) {
  const previous = tables[index - 256]!;
  tables[index] = (previous >>> 8) ^ tables[previous & 0xff]!;
}

/** The checksum of bytes[from, to), as an unsigned number of 32 bits. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1;
  let at = from;
  for (; at + SLICES <= to; at += SLICES) {
    const first =
      crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      tables[1792 + (first & 0xff)]! ^
      tables[1536 + ((first >>> 8) & 0xff)]! ^
      tables[1280 + ((first >>> 16) & 0xff)]! ^
      tables[1024 + (first >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
