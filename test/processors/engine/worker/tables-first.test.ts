import { expect, test } from "vitest";
import type { InputDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { tableInput } from "../../../../processors/engine/pipeline/table.ts";
import { TablesFirst, type TablesFirstOptions } from "../../../../processors/engine/worker/tables-first.ts";
import { readings } from "../task-fixture.ts";

const [events] = readings().inputs;
const table = (topic: string): InputDefinition => tableInput({ topic, decode: () => ({}) });

/** Each sleep is a step, at which the test says how far the tables were read; the tenth ends it. */
function options(atStep: (step: number) => number | undefined, given: Partial<TablesFirstOptions> = {}) {
  const ended = new AbortController();
  let step = 0;
  const made: TablesFirstOptions = {
    signal: ended.signal,
    clock: {
      nowMs: () => step,
      epochMs: () => step,
      sleep: async () => {
        step += 1;
        if (step === 10) ended.abort();
      },
      yield: async () => undefined,
    },
    position: () => atStep(step),
    endOffset: async () => 5,
    onFailure: () => undefined,
    ...given,
  };
  return { made, steps: () => step };
}

test("streams are fetched once every table was read to its end", async () => {
  const first = new TablesFirst([events!, table("a"), table("b")], 2);
  const { made, steps } = options((step) => (step < 3 ? 4 : 5));
  expect(first.fetchable).toEqual([
    { topic: "a", partition: 2 },
    { topic: "b", partition: 2 },
  ]);

  expect(await first.untilRead(made)).toBe(true);

  expect(steps()).toBe(3);
  expect(first.fetchable.map(({ topic }) => topic)).toEqual(["readings-in", "a", "b"]);
});

test("what was fetched of a table and waits is not read yet", async () => {
  const first = new TablesFirst([events!, table("a")], 0);
  const { made, steps } = options((step) => (step < 4 ? undefined : 5));

  await first.untilRead(made);

  expect(steps()).toBe(4);
});

test("an end that cannot be read is asked for again", async () => {
  const failures: string[] = [];
  const { made } = options(() => 5, {
    onFailure: ({ message }) => failures.push(message),
    endOffset: async () => {
      if (failures.length < 2) throw new Error("the broker is away");
      return 5;
    },
  });

  expect(await new TablesFirst([events!, table("a")], 0).untilRead(made)).toBe(true);
  expect(failures).toEqual(["the broker is away", "the broker is away"]);
});

test("a task that ends before does not go on to its streams", async () => {
  const first = new TablesFirst([events!, table("a")], 0);
  const { made } = options(() => 4);

  expect(await first.untilRead(made)).toBe(false);
  expect(first.fetchable.map(({ topic }) => topic)).toEqual(["a"]);
});

test("without tables everything is fetched at once", async () => {
  const first = new TablesFirst([events!], 0);

  expect(first.fetchable).toEqual([{ topic: "readings-in", partition: 0 }]);
  expect(await first.untilRead(options(() => 0).made)).toBe(true);
});
