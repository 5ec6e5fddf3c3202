import fc from "fast-check";
import produce from "kafkajs/src/protocol/requests/produce/index.js";
import kafkajsRequest from "kafkajs/src/protocol/requests/produce/v7/request.js";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { crc32c } from "../../runtime/crc32c.ts";
import { encodeProduce, type ProduceRequest } from "../../runtime/produce-encoding.ts";

const NOW_MS = 1_795_000_000_000;

beforeEach(() => void vi.useFakeTimers({ now: NOW_MS, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const text = fc.string({ unit: "binary", maxLength: 200 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const headers = fc.dictionary(fc.string({ maxLength: 20 }), fc.oneof(text, bytes), { maxKeys: 4 });

/** Many records of a batch share their headers, as a function's do. */
const messages = fc
  .tuple(fc.array(headers, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 300 }))
  .chain(([shared, count]) =>
    fc.array(
      fc.record(
        {
          key: fc.oneof(fc.constant(null), bytes, text),
          value: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 9, arbitrary: bytes }, text),
          headers: fc.constantFrom(...shared),
        },
        { requiredKeys: ["value"] },
      ),
      { minLength: 1, maxLength: count },
    ),
  );

const request: fc.Arbitrary<ProduceRequest> = fc.record(
  {
    acks: fc.constantFrom(-1, 0, 1),
    timeout: fc.nat(),
    transactionalId: fc.oneof(fc.constant(null), fc.string({ minLength: 1, maxLength: 40 })),
    producerId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
    producerEpoch: fc.nat(32_767),
    topicData: fc.array(
      fc.record({
        topic: fc.string({ minLength: 1, maxLength: 40 }),
        partitions: fc.array(
          fc.record(
            { partition: fc.nat(1_000), firstSequence: fc.nat(), messages },
            { requiredKeys: ["partition", "messages"] },
          ),
          { maxLength: 4 },
        ),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ["acks", "timeout", "topicData"] },
);

it("writes the bytes that kafkajs writes", async () => {
  await fc.assert(
    fc.asyncProperty(request, async (options) => {
      const own = encodeProduce(options, NOW_MS).buffer;
      const theirs = (await kafkajsRequest(options).encode()).buffer;
      expect(own.equals(theirs)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it("is what kafkajs uses for what it produces", async () => {
  const options = oneRecord({ key: "k", value: Buffer.from("v") });

  const { request: encoder } = produce.protocol({ version: 7 })(options);

  expect(await encoder.encode()).toEqual(encodeProduce(options, NOW_MS));
});

it.each([
  ["a timestamp", { value: "v", timestamp: "1700000000000" }],
  ["a header of several values", { value: "v", headers: { h: ["1", "2"] } as never }],
])("leaves %s to kafkajs", async (_, message) => {
  const options = oneRecord(message);

  const { request: encoder } = produce.protocol({ version: 7 })(options);

  const theirs = (await kafkajsRequest(options).encode()).buffer;
  expect((await encoder.encode()).buffer.equals(theirs)).toBe(true);
});

it("knows the checksum of RFC 3720, appendix B.4", () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from("xx123456789xx"), 2, 11)).toBe(0xe3069283);
});

function oneRecord(message: ProduceRequest["topicData"][0]["partitions"][0]["messages"][0]): ProduceRequest {
  const topicData = [{ topic: "t", partitions: [{ partition: 0, messages: [message] }] }];
  return { acks: -1, timeout: 30_000, topicData };
}
