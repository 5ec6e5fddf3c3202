/**
 * MurmurHash3_x86_128 by Austin Appleby (public domain; github.com/aappleby/smhasher): 128 bits by 32-bit
 * arithmetic, which JavaScript has. Its verification value, 0xB3ECE62A, is in the test.
 */
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** The last, incomplete block, filled up with zeros: they hash as nothing. */
const tail = Buffer.alloc(16);

/**
 * Hashes the first `length` bytes.
 * @param seed 32 bits
 * @param hash where the four 32-bit words go, so that none is made for each value
 */
export function murmur3(bytes: Buffer, length: number, seed: number, hash: Uint32Array): void {
  hash.fill(seed);
  const blocks = length - (length % 16);
  for (let at = 0; at < blocks; at += 16) mixBlock(hash, bytes, at);
  if (blocks < length) mixTail(hash, bytes, blocks, length);
  for (let word = 0; word < 4; word++) hash[word]! ^= length;
  addUp(hash);
  for (let word = 0; word < 4; word++) hash[word] = finalMix(hash[word]!);
  addUp(hash);
}

/** Each word takes in its quarter of the block, then the word after it, which has not taken in its own yet. */
function mixBlock(hash: Uint32Array, block: Buffer, at: number): void {
  hash[0]! ^= scramble(block.readInt32LE(at), C1, 15, C2);
  hash[0] = Math.imul(rotate(hash[0]!, 19) + hash[1]!, 5) + 0x561ccd1b;
  hash[1]! ^= scramble(block.readInt32LE(at + 4), C2, 16, C3);
  hash[1] = Math.imul(rotate(hash[1]!, 17) + hash[2]!, 5) + 0x0bcaa747;
  hash[2]! ^= scramble(block.readInt32LE(at + 8), C3, 17, C4);
  hash[2] = Math.imul(rotate(hash[2]!, 15) + hash[3]!, 5) + 0x96cd1c35;
  hash[3]! ^= scramble(block.readInt32LE(at + 12), C4, 18, C1);
  hash[3] = Math.imul(rotate(hash[3]!, 13) + hash[0]!, 5) + 0x32ac3b17;
}

function mixTail(hash: Uint32Array, bytes: Buffer, from: number, length: number): void {
  tail.fill(0);
  bytes.copy(tail, 0, from, length);
  hash[0]! ^= scramble(tail.readInt32LE(0), C1, 15, C2);
  hash[1]! ^= scramble(tail.readInt32LE(4), C2, 16, C3);
  hash[2]! ^= scramble(tail.readInt32LE(8), C3, 17, C4);
  hash[3]! ^= scramble(tail.readInt32LE(12), C4, 18, C1);
}

function scramble(word: number, before: number, bits: number, after: number): number {
  return Math.imul(rotate(Math.imul(word, before), bits), after);
}

function addUp(hash: Uint32Array): void {
  hash[0]! += hash[1]! + hash[2]! + hash[3]!;
  for (let word = 1; word < 4; word++) hash[word]! += hash[0]!;
}

function finalMix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
