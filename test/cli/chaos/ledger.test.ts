/** The ledger bites: whatever is lost, doubled or changed is a mismatch. */
import type { KafkaMessage } from "kafkajs";
import { describe, expect, test } from "vitest";
import {
  checkCounters,
  checkLog,
  Mismatches,
  RejectedCheck,
  ResultsCheck,
} from "../../../cli/chaos/ledger.ts";
import { Oracle } from "../../../cli/chaos/oracle.ts";
import { NUMBER_HEADER, POISON_HEADER } from "../../../cli/chaos/traffic.ts";
import { deadLetterHeaders, lateHeaders, WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";

const PARTITION = 3;
const START_MS = Date.UTC(2001, 0, 1, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function message(
  offset: number,
  headers: Readonly<Record<string, string>>,
  value: object | null,
  key: string | null = "A01",
): KafkaMessage {
  return {
    offset: String(offset),
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(JSON.stringify(value)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    timestamp: "0",
    attributes: 0,
  };
}

/** A flight at some minutes from the start; its number is its offset in the log. */
const flight = (offset: number, id: string, atMin: number, delayMin: number): KafkaMessage =>
  message(
    offset,
    { [NUMBER_HEADER]: String(offset) },
    {
      id,
      source: "s",
      time: new Date(START_MS + atMin * MINUTE_MS).toISOString(),
      data: { origin: "A01", delayMin },
    },
  );

/** Two counted, one of them twice, one late by window, one late by horizon, one dead, all windows closed. */
function judged(): Oracle {
  const oracle = new Oracle();
  const records = [
    flight(0, "a", 10, 20),
    flight(1, "b", 30, -3),
    flight(2, "a", 10, 20),
    message(
      3,
      { [NUMBER_HEADER]: "3", [WATERMARK_HEADER]: String(START_MS + HOUR_MS + MINUTE_MS) },
      null,
      null,
    ),
    flight(4, "c", 59, 1),
    flight(5, "d", -300, 1),
    message(6, { [NUMBER_HEADER]: "6", [POISON_HEADER]: "undecodable" }, [6]),
  ];
  for (const record of records) oracle.take(PARTITION, record);
  return oracle;
}

const VALUE = { flights: 2, meanDelayMin: 8.5, maxDelayMin: 20, minDelayMin: -3, delayed: 1 };

function result(offset: number, changes: object = {}): KafkaMessage {
  const window = { start: START_MS, end: START_MS + HOUR_MS };
  const version = { generation: 1, checkpoint: offset + 1, index: 0 };
  const record = { kind: "result", pipeline: "p", key: "A01", window, value: VALUE, revision: 1, version };
  return message(offset, {}, { ...record, ...changes });
}

function late(offset: number, of: KafkaMessage, changes: Partial<KafkaMessage> = {}): KafkaMessage {
  const headers = {
    [lateHeaders.partition]: String(PARTITION),
    [lateHeaders.offset]: of.offset,
    [lateHeaders.lateByMs]: "1",
  };
  return { ...of, ...changes, offset: String(offset), headers } as KafkaMessage;
}

function dead(offset: number, of: KafkaMessage, reason: string): KafkaMessage {
  const headers = {
    [deadLetterHeaders.partition]: String(PARTITION),
    [deadLetterHeaders.offset]: of.offset,
    [deadLetterHeaders.reason]: reason,
  };
  return { ...of, offset: String(offset), headers } as KafkaMessage;
}

test("the oracle judges in the order of the log", () => {
  const oracle = judged();

  expect(oracle.outcomes).toEqual({ counted: 2, late: 2, duplicate: 1, dead: 1 });
  expect([...oracle.closedWindows()]).toEqual([["A01 2001-01-01T12:00:00.000Z", VALUE]]);
  expect([...oracle.late.keys()]).toEqual(["3/4", "3/5"]);
  expect([...oracle.dead.keys()]).toEqual(["3/6"]);
});

describe("the results", () => {
  const mismatches = (...messages: KafkaMessage[]): readonly string[] => {
    const found = new Mismatches();
    const check = new ResultsCheck(judged(), "p", found);
    for (const each of messages) check.take(PARTITION, each);
    check.finish();
    return found.examples;
  };

  test("that are exact", () => expect(mismatches(result(0))).toEqual([]));

  test.each([
    ["missing", [], /it is missing/],
    ["doubled", [result(0), result(1)], /there twice/],
    [
      "changed",
      [result(0, { value: { ...VALUE, flights: 3 } })],
      /expected .*"flights":2.* got .*"flights":3/,
    ],
    ["with a field too many", [result(0, { value: { ...VALUE, more: 0 } })], /expected/],
    ["of a window that is none", [result(0), result(1, { window: { start: 0, end: 1 } })], /should not be/],
    ["with a gap before their revision", [result(0, { revision: 2 })], /revision is 2/],
    ["retracted", [result(0, { kind: "retract" })], /a retract/],
    ["under another key", [{ ...result(0), key: Buffer.from("B") }], /Kafka key is B/],
    ["older than those before", [result(5), result(1)], /not a newer one/],
  ])("that are %s", (_, messages, what) => expect(mismatches(...messages).join()).toMatch(what));
});

describe("late events and dead letters", () => {
  const [byWindow, byHorizon] = [flight(4, "c", 59, 1), flight(5, "d", -300, 1)];
  const poison = message(6, {}, [6]);
  const mismatches = (kind: "late" | "dead", ...messages: KafkaMessage[]): readonly string[] => {
    const found = new Mismatches();
    const check = new RejectedCheck(kind, judged(), found);
    for (const each of messages) check.take(0, each);
    check.finish();
    return found.examples;
  };

  test("that are exact", () => {
    expect(mismatches("late", late(0, byWindow), late(1, byHorizon))).toEqual([]);
    expect(mismatches("dead", dead(0, poison, "undecodable"))).toEqual([]);
  });

  test.each([
    ["missing", "late", [late(0, byWindow)], /late record 3\/5: it is missing/],
    ["doubled", "dead", [dead(0, poison, "undecodable"), dead(1, poison, "undecodable")], /at 0\/1: .*twice/],
    ["not rejected by the oracle", "dead", [dead(0, flight(0, "a", 10, 20), "undecodable")], /should not be/],
    ["of changed bytes", "late", [late(0, byWindow, { value: Buffer.from("{}") })], /value is not/],
    ["of a changed key", "late", [late(0, byWindow, { key: null })], /key is not/],
    ["given another reason", "dead", [dead(0, poison, "missing-time")], /missing-time, not undecodable/],
  ] as const)("that are %s", (_, kind, messages, what) =>
    expect(mismatches(kind, ...messages).join()).toMatch(what),
  );
});

test("the tasks' counters and the log itself", () => {
  const oracle = judged();
  const found = new Mismatches();
  const counters = { ...oracle.outcomes, ignored: 0, results: 1 };
  checkCounters([{ counters }], oracle, found);
  checkLog(oracle, 7, found);
  expect(found.examples).toEqual([]);
  checkCounters([{ counters: { ...counters, duplicate: 0 } }], oracle, found);
  checkLog(oracle, 8, found);
  expect(found.examples).toEqual([
    "the tasks count 0 duplicate; it must be 1",
    "record 7: acknowledged by Kafka, but not in the log",
  ]);
});
