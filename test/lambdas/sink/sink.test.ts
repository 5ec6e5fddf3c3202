import { describe, expect, it } from "vitest";
import { deadLetterHeaders } from "../../../contracts/dead-letter.ts";
import { parseServedSeries } from "../../../contracts/served-series.ts";
import { DEAD_LETTERS_TOPIC } from "../../../contracts/topics.ts";
import { KafkaDeadLetters } from "../../../lambdas/sink/dead-letters.ts";
import { sink } from "../../../lambdas/sink/sink.ts";
import type { ResultsTable, WriteOutcome } from "../../../lambdas/sink/table.ts";
import { TableUnavailableError } from "../../../runtime/errors.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { atHour, delivery, mskRecord, result } from "../support/result-records.ts";

const remainingMs = (): number => 10_000;
const away = new TableUnavailableError("away", "wait");

const deadLettersOf = (kafka: FakeKafka): KafkaDeadLetters =>
  new KafkaDeadLetters(new RecordPublisher(kafka, new Map([[DEAD_LETTERS_TOPIC, kafka.partitionCount]])));

const nothingTold = { put: 0, repeated: 0 };

const tableThat = (write: ResultsTable["write"]): ResultsTable => ({ write, advance: async () => {} });

const series = parseServedSeries("airport-delays:private::4:3600001");

describe("the sink", () => {
  it("counts what it stored, and what a newer version superseded", async () => {
    const outcomes: WriteOutcome[] = [{ kind: "stored" }, { kind: "superseded" }, { kind: "stored" }];
    const table = tableThat(async () => outcomes.shift()!);
    const event = delivery([0, 1, 2, 2].map((hour) => mskRecord(atHour(hour))));
    const report = await sink(event, remainingMs, {
      series,
      table,
      deadLetters: deadLettersOf(new FakeKafka()),
    });
    expect(report).toEqual({ stored: 2, superseded: 2, refused: 0, notices: nothingTold });
  });

  it("sends what no table can hold to the dead letters, its bytes unchanged, and goes on", async () => {
    const kafka = new FakeKafka();
    const table = tableThat(async ({ result }) =>
      result.window.start === atHour(1).window.start
        ? { kind: "refused", detail: "Item size has exceeded the maximum" }
        : { kind: "stored" },
    );
    const broken = Buffer.from([0xff, 0x00, 0x7b]);
    const event = delivery([mskRecord(broken), mskRecord(atHour(1)), mskRecord(atHour(2))]);
    const report = await sink(event, remainingMs, { series, table, deadLetters: deadLettersOf(kafka) });
    expect(report).toEqual({ stored: 1, superseded: 0, refused: 2, notices: nothingTold });
    expect(kafka.messages).toMatchObject([
      {
        topic: "dead-letters",
        message: {
          key: Buffer.from("ATL"),
          value: broken,
          headers: {
            [deadLetterHeaders.reason]: "undecodable",
            [deadLetterHeaders.stage]: "sink",
            [deadLetterHeaders.topic]: "airport-delays.results",
            [deadLetterHeaders.partition]: "0",
            [deadLetterHeaders.offset]: "0",
            [deadLetterHeaders.content]: "record",
          },
        },
      },
      {
        message: {
          value: Buffer.from(JSON.stringify(atHour(1))),
          headers: {
            [deadLetterHeaders.reason]: "refused-by-table",
            [deadLetterHeaders.detail]: "Item size has exceeded the maximum",
            [deadLetterHeaders.offset]: "1",
          },
        },
      },
    ]);
  });

  it("keeps a null key and a null value null in the dead letter", async () => {
    const kafka = new FakeKafka();
    const record = mskRecord(null, { key: undefined as never, value: undefined as never });
    const table = tableThat(async () => ({ kind: "stored" }));
    await sink(delivery([record]), remainingMs, { series, table, deadLetters: deadLettersOf(kafka) });
    expect(kafka.messages).toMatchObject([{ message: { key: null, value: null } }]);
  });

  it("fails where the table is away, starts no further write, and ends those in flight", async () => {
    let started = 0;
    let ended = 0;
    const table = tableThat(async () => {
      started += 1;
      if (started === 1) throw away;
      await Promise.resolve();
      ended += 1;
      return { kind: "stored" };
    });
    const event = delivery(Array.from({ length: 500 }, (_, hour) => mskRecord(atHour(hour))));
    const ports = { series, table, deadLetters: deadLettersOf(new FakeKafka()) };
    await expect(sink(event, remainingMs, ports)).rejects.toBe(away);
    expect(started).toBeLessThan(100);
    expect(ended).toBe(started - 1);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("gone"))],
    ["does not acknowledge", () => []],
  ])("sends a dead letter again where Kafka %s it", async (_, behaviour) => {
    const kafka = new FakeKafka();
    kafka.next.push(behaviour);
    const ports = {
      series,
      table: tableThat(async () => ({ kind: "stored" })),
      deadLetters: deadLettersOf(kafka),
    };
    const report = await sink(delivery([mskRecord("x")]), remainingMs, ports);
    expect(report).toEqual({ stored: 0, superseded: 0, refused: 1, notices: nothingTold });
    expect(kafka.sends).toHaveLength(2);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("gone"))],
    ["does not acknowledge", () => []],
  ])("fails where Kafka %s a dead letter to the end, so that none is lost", async (_, behaviour) => {
    const kafka = new FakeKafka();
    kafka.next.push(...Array(1_000).fill(behaviour));
    const ports = {
      series,
      table: tableThat(async () => ({ kind: "stored" })),
      deadLetters: deadLettersOf(kafka),
    };
    const event = delivery([mskRecord("x"), mskRecord(result)]);
    await expect(sink(event, () => 1_020, ports)).rejects.toMatchObject({ code: "KAFKA_UNAVAILABLE" });
  });

  it("says how far partitions have come, once everything up to there is stored", async () => {
    const said: unknown[] = [];
    let stored = 0;
    const table: ResultsTable = {
      write: async () => {
        stored += 1;
        return { kind: "stored" };
      },
      advance: async (progress) => void said.push({ ...progress, stored }),
    };
    const fifth = { generation: 5, checkpoint: 0, index: 0 };
    const event = delivery([
      mskRecord(atHour(3)),
      mskRecord(atHour(9)),
      mskRecord(atHour(1, { version: fifth }), { partition: 2 }),
      mskRecord(atHour(8), { partition: 2 }),
      mskRecord(atHour(20, { kind: "retract" })),
    ]);

    await sink(event, remainingMs, { series, table, deadLetters: deadLettersOf(new FakeKafka()) });

    expect(said).toEqual([
      { series: "airport-delays", partition: 0, generation: 1, endMs: atHour(9).window.end, stored: 5 },
      { series: "airport-delays", partition: 2, generation: 5, endMs: atHour(1).window.end, stored: 5 },
    ]);
  });

  it("says nothing where a write fails, nor of a series whose windows do not close in order", async () => {
    const advance = () => Promise.reject(new Error("must not be called"));
    const deadLetters = deadLettersOf(new FakeKafka());
    const failing = { write: () => Promise.reject(away), advance };
    const event = delivery([mskRecord(atHour(3))]);
    await expect(sink(event, remainingMs, { series, table: failing, deadLetters })).rejects.toBe(away);

    const table: ResultsTable = { write: async () => ({ kind: "stored" }), advance };
    const sessions = parseServedSeries("airport-delays:private::4:");
    await expect(sink(event, remainingMs, { series: sessions, table, deadLetters })).resolves.toBeDefined();
  });
});
