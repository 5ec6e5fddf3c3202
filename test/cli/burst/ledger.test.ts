import { describe, expect, test } from "vitest";
import { idIn, idOf } from "../../../cli/burst/events.ts";
import { checkLedger } from "../../../cli/burst/ledger.ts";
import type { Answered } from "../../../cli/burst/load.ts";

const EVENTS = 2;

const answer = (batch: number, changes: Partial<Answered> = {}): Answered => ({
  batch,
  status: 202,
  retryAfter: false,
  refused: 0,
  latencyMs: 1,
  atMs: 1,
  coldStart: false,
  ...changes,
});
const topicOf = (...batches: number[]): Map<string, number> =>
  new Map(batches.flatMap((batch) => [0, 1].map((index) => [idOf(batch, index), 1] as const)));
const tally = (counted: number, duplicate = 0) => ({ counted, late: 0, dead: 0, duplicate });

const check = (
  answers: Answered[],
  onTopic: ReadonlyMap<string, number>,
  counted = onTopic.size,
  duplicate = 0,
) => checkLedger(answers, EVENTS, onTopic, tally(counted, duplicate));

test("is exact where every accepted event was counted, and every refused one told", () => {
  const answers = [
    answer(0),
    answer(1, { status: 429, retryAfter: true }),
    answer(2, { status: 503, retryAfter: true }),
    answer(3, { status: 0 }),
    answer(4, { refused: 2, retryAfter: true }),
  ];
  // What was answered 503, or not at all, may have been stored.
  expect(check(answers, topicOf(0, 2, 3))).toEqual({ accepted: 2, refused: 6, mismatches: [] });
});

describe("names", () => {
  test("an accepted event that is not on the topic", () => {
    expect(check([answer(0), answer(1)], topicOf(0)).mismatches).toEqual([
      "b1-0 was accepted, and is not on the topic",
      "b1-1 was accepted, and is not on the topic",
    ]);
  });

  test("an event that was counted twice, or not at all", () => {
    expect(check([answer(0)], topicOf(0), 3).mismatches).toEqual([
      "the tasks count 3 counted, late or dead events; there are 2 ids",
    ]);
    expect(check([answer(0)], topicOf(0), 1).mismatches).toHaveLength(1);
  });

  test("a copy that was not told from an event", () => {
    const onTopic = topicOf(0).set(idOf(0, 0), 2);
    expect(check([answer(0)], onTopic, 2, 1).mismatches).toEqual([]);
    expect(check([answer(0)], onTopic, 2, 0).mismatches).toEqual([
      "the tasks count 0 duplicates; there are 1",
    ]);
  });

  test.each([
    ["refused", { status: 429 }],
    ["refused in part", { refused: 2 }],
    ["answered otherwise", { status: 500 }],
  ])("a batch that was %s without being told when to come again", (_, changes) => {
    expect(check([answer(0, changes)], new Map()).mismatches).toHaveLength(1);
  });
});

test("an event's id is found in its record, and in no other", () => {
  expect(idIn(Buffer.from(JSON.stringify({ specversion: "1.0", id: idOf(7, 3) })))).toBe("b7-3");
  expect(idIn(Buffer.from('{"id":"other"}'))).toBeUndefined();
  expect(idIn(null)).toBeUndefined();
});
