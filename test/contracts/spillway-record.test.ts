import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxEventBytes, maxKeyBytes } from "../../contracts/limits.ts";
import { maxSpillwayRecordBytes, packSpilled, unpackSpilled } from "../../contracts/spillway-record.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const event = fc.record({
  topic: fc.constantFrom("flights", "user-activity", "ü"),
  key: bytes(40),
  value: bytes(300),
});

const unpacked = (records: readonly Buffer[]) =>
  records.map((record) => {
    const batch = unpackSpilled(record);
    if (typeof batch === "string") throw new Error(batch);
    return batch;
  });

test("what was packed comes out as it was, in its order", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.string(),
      fc.option(fc.string()),
      fc.array(event),
      (arrivalMs, text, trace, events) => {
        const producer = Buffer.from(text).toString();
        const traced = trace === null ? {} : { traceparent: Buffer.from(trace).toString() };
        const batches = unpacked(packSpilled({ arrivalMs, producer, ...traced, events }));
        expect(batches.flatMap((batch) => batch.events)).toEqual(events);
        for (const batch of batches)
          expect(batch).toEqual({ arrivalMs, producer, ...traced, events: batch.events });
      },
    ),
  );
});

test("records are as few as they can be, and none is larger than the stream takes", () => {
  const largest = { topic: "flights", key: Buffer.alloc(maxKeyBytes), value: Buffer.alloc(maxEventBytes) };
  const small = { topic: "flights", key: Buffer.alloc(3), value: Buffer.alloc(200) };
  const records = packSpilled({
    arrivalMs: 1,
    producer: "a",
    events: [small, largest, small, largest, small],
  });
  expect(unpacked(records).map(({ events }) => events.length)).toEqual([3, 2]);
  for (const { length } of records) expect(length).toBeLessThanOrEqual(maxSpillwayRecordBytes);
});

const HEAD_BYTES = 14;

describe("what is no such record", () => {
  const [whole] = packSpilled({
    arrivalMs: 1,
    producer: "air",
    events: [
      { topic: "flights", key: Buffer.from("ATL"), value: Buffer.from("{}") },
      { topic: "flights", key: Buffer.from("ATL"), value: Buffer.from("{}") },
    ],
  });

  test("is told from one, wherever it was cut", () => {
    const oneEventBytes = (whole!.length - HEAD_BYTES) / 2;
    for (let length = 0; length < whole!.length; length++) {
      const batch = unpackSpilled(whole!.subarray(0, length));
      // A cut between two events is one that no format without a checksum sees; Kinesis does not cut.
      if ((length - HEAD_BYTES) % oneEventBytes === 0 && length >= HEAD_BYTES)
        expect(batch).toMatchObject({ arrivalMs: 1 });
      else expect(batch).toMatch(/^It (has|ends)/);
    }
  });

  test("of another version is not guessed at", () => {
    const other = Buffer.from(whole!);
    other[0] = 3;
    expect(unpackSpilled(other)).toBe("It is of version 3 of the format; 1 and 2 are known.");
  });

  test("never makes it throw, with a trace context neither", () => {
    fc.assert(
      fc.property(bytes(60), (record) => void unpackSpilled(Buffer.concat([Buffer.from([2]), record]))),
    );
  });

  test("never makes it throw", () => {
    fc.assert(
      fc.property(bytes(60), (record) => void unpackSpilled(Buffer.concat([Buffer.from([1]), record]))),
    );
  });
});
