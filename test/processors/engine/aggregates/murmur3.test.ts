import { expect, test } from "vitest";
import { murmur3 } from "../../../../processors/engine/aggregates/murmur3.ts";

function hashBytes(bytes: Buffer, length: number, seed: number): Buffer {
  const hash = new Uint32Array(4);
  murmur3(bytes, length, seed, hash);
  const out = Buffer.alloc(16);
  hash.forEach((word, index) => {
    out.writeUInt32LE(word, index * 4);
  });
  return out;
}

test("has the verification value of MurmurHash3_x86_128 in SMHasher", () => {
  // SMHasher's procedure: keys 0, 01, 012 … of 0 to 255 bytes with seeds 256 to 1, then the hash of their hashes.
  const key = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const hashes = Buffer.concat(Array.from({ length: 256 }, (_, i) => hashBytes(key, i, 256 - i)));

  expect(hashBytes(hashes, hashes.length, 0).readUInt32LE(0).toString(16)).toBe("b3ece62a");
});
