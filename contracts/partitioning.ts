/**
 * Which partition a key lives in. It is a contract: the door, the engine and every Kafka client must agree, and
 * all do what Kafka's Java client does by default: murmur2 of the key's bytes, sign bit cleared, modulo partitions.
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** murmur2 (32 bit) of the bytes with Kafka's seed, the sign bit cleared (Kafka's `Utils.murmur2`, `toPositive`). */
export function keyHash(bytes: Uint8Array): number {
  const length = bytes.length;
  let h = SEED ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length - i;
  if (rest >= 3) h ^= bytes[i + 2]! << 16;
  if (rest >= 2) h ^= bytes[i + 1]! << 8;
  if (rest >= 1) {
    h ^= bytes[i]!;
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  h ^= h >>> 15;
  return h & 0x7fffffff;
}

/** The partition of a key among `partitions`. */
export const partitionOf = (key: Uint8Array, partitions: number): number => keyHash(key) % partitions;
