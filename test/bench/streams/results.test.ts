import { describe, expect, it } from "vitest";
import { type Engine, kafkatsFlow } from "../../../bench/streams/engines.ts";
import type { Results, Totals } from "../../../bench/streams/reference.ts";
import { rowOf } from "../../../bench/streams/reference.ts";
import { ResultsSoFar } from "../../../bench/streams/results.ts";

const onClose: Engine = { ...kafkatsFlow, emitsOnClose: true };
const two: Totals = { count: 2, sum: 7, max: 5 };
const one: Totals = { count: 1, sum: 5, max: 5 };
const expected: Results = new Map([
  [rowOf("a", 0, 10), two],
  [rowOf("b", 0, 10), one],
]);

const message = (key: string, totals: Totals) => ({
  value: Buffer.from(JSON.stringify({ key, start: 0, end: 10, ...totals })),
});

function read(engine: Engine, ...messages: ReturnType<typeof message>[]): ResultsSoFar {
  const results = new ResultsSoFar(engine, expected);
  results.add(messages);
  return results;
}

describe("results so far", () => {
  it("are complete once every row is there and right", () => {
    const results = read(onClose, message("a", two));
    expect(results.areComplete).toBe(false);
    results.add([message("b", one)]);
    expect(results.areComplete).toBe(true);
    expect(results.difference().count).toBe(0);
  });

  it("wait for the last result of an engine that emits at every event", () => {
    const results = read(kafkatsFlow, message("b", one), message("a", one));
    expect(results.areComplete).toBe(false);
    results.add([message("a", two)]);
    expect(results.areComplete).toBe(true);
    expect(results.difference().count).toBe(0);
  });

  it("are not complete any more where a right row is followed by a wrong one", () => {
    const results = read(kafkatsFlow, message("a", two), message("b", one), message("a", one));
    expect(results.areComplete).toBe(false);
  });

  it("tell a row that an engine which emits once emitted again, though it is right", () => {
    const results = read(onClose, message("a", two), message("b", one), message("b", one));
    expect(results.difference()).toEqual({ count: 1, examples: [`${rowOf("b", 0, 10)}: emitted again`] });
  });

  it("leave out those of closing events", () => {
    expect(read(onClose, message("closing-3", one)).size).toBe(0);
  });
});
