import { describe, expect, test } from "vitest";
import { deadLetterHeaders } from "../../../../contracts/dead-letter.ts";
import {
  count,
  type PipelineDefinition,
  PipelineError,
  pipeline,
  sum,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { readable } from "../../../support/records.ts";
import { Chain, lastResults } from "../stages/chain.ts";
import {
  OUT_OF_ORDER_MS,
  recordOf,
  SALES_TOPIC,
  type Sale,
  salesOf,
  salesSource,
  totalsOf,
  tumblingStarts,
  WINDOW_MS,
} from "../stages/sales.ts";

const PARTITIONS = 3;
const FORWARDED = "sales.by-city.forwarded";
const END_MS = 1_000_000;

function byCity({
  partitions = 4,
  dedupe,
}: {
  partitions?: number;
  dedupe?: false;
} = {}): PipelineDefinition {
  return pipeline("sales")
    .from<Sale>(salesSource, { outOfOrderMs: OUT_OF_ORDER_MS, ...(dedupe === false ? { dedupe } : {}) })
    .rekeyBy("by-city", (sale) => sale.city, { partitions })
    .window(tumbling({ sizeMs: WINDOW_MS }))
    .aggregate({ n: count(), total: sum((sale) => sale.amount) })
    .toResults();
}

const chainOf = (definition: PipelineDefinition, seed = 1, crashes = 0): Chain =>
  new Chain(definition, { seed, crashes, partitions: PARTITIONS });

const sale = (fields: Partial<Sale> = {}): Sale => ({
  id: `${fields.at ?? 0}-${fields.shop ?? "s"}`,
  shop: "s",
  city: "c",
  at: 0,
  amount: 1,
  ...fields,
});

const toTopic = (chain: Chain, topic: string) =>
  chain.outputs.filter((output) => output.topic === topic).map(readable);

describe("results of a stream under another key", () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))(
    "are those of the slow way, whatever dies and whenever it is cut (seed %i)",
    (seed) => {
      const sales = salesOf({ seed, events: 400 });
      const chain = chainOf(byCity(), seed, 0.05);
      for (const one of sales) chain.produce(SALES_TOPIC, recordOf(one));
      chain.flush(SALES_TOPIC, END_MS);

      chain.run();

      expect(lastResults(chain.outputs, "sales.results")).toEqual(totalsOf(sales, tumblingStarts));
      expect(toTopic(chain, "sales.late")).toEqual([]);
      expect(toTopic(chain, "dead-letters")).toEqual([]);
    },
  );

  test("do not count an event twice that came in two partitions", () => {
    const chain = chainOf(byCity());
    chain.produce(SALES_TOPIC, recordOf(sale()), 0);
    chain.produce(SALES_TOPIC, recordOf(sale()), 2);
    chain.flush(SALES_TOPIC, END_MS);

    chain.run();

    expect([...lastResults(chain.outputs, "sales.results")]).toEqual([["c 0", '{"n":1,"total":1}']]);
  });

  test("count the elements of one event that get the same key", () => {
    const definition = pipeline("sales")
      .from<Sale>(salesSource, { outOfOrderMs: 0 })
      .flatMap((one) => [one, { ...one, amount: 10 }])
      .rekeyBy("by-city", (one) => one.city)
      .window(tumbling({ sizeMs: WINDOW_MS }))
      .aggregate({ n: count(), total: sum((one) => one.amount) })
      .toResults();
    const chain = chainOf(definition);
    chain.produce(SALES_TOPIC, recordOf(sale()));
    chain.produce(SALES_TOPIC, recordOf(sale()));
    chain.flush(SALES_TOPIC, END_MS);

    chain.run();

    expect([...lastResults(chain.outputs, "sales.results")]).toEqual([["c 0", '{"n":2,"total":11}']]);
  });

  test("what a stage forwards depends on neither cuts nor batches", () => {
    const sales = salesOf({ seed: 5, events: 300 });
    const forwarded = [1, 2].map((seed) => {
      const chain = chainOf(byCity(), seed);
      for (const one of sales) chain.produce(SALES_TOPIC, recordOf(one));
      chain.run();
      return PARTITIONS_OF.map((task) => ofTask(chain, task));
    });

    expect(forwarded[0]).toEqual(forwarded[1]);
  });
});

const PARTITIONS_OF = [...Array(PARTITIONS).keys()];

/** The watermarks that a task of the first stage told the second one's partition 0. */
const ofTask = (chain: Chain, task: number): unknown[] =>
  chain.outputs
    .filter(({ topic, partition }) => topic === FORWARDED && partition === 0)
    .filter(({ headers }) => headers["spillway-watermark-task"] === `${task}/${PARTITIONS}`)
    .map(({ headers }) => headers);

describe("the watermark of the stage behind", () => {
  const watermark = (chain: Chain) => chain.stage("sales")[0]!.task.watermarkMs;

  test("waits for every task of the stage before it", () => {
    const chain = chainOf(byCity());
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), 0);
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 900 })), 1);
    chain.settle();
    expect(watermark(chain)).toBe(Number.NEGATIVE_INFINITY);

    chain.produce(SALES_TOPIC, recordOf(sale({ at: 2_000 })), 2);
    chain.settle();

    expect(watermark(chain)).toBe(900 - OUT_OF_ORDER_MS);
  });

  test("waits for no task that says it is idle, also where that never had an event", () => {
    const chain = chainOf(byCity());
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), 0);
    chain.settle();
    chain.tick("sales.by-city", 1, 5_000);
    chain.tick("sales.by-city", 2, 5_000);
    chain.settle();

    expect(watermark(chain)).toBe(1_000 - OUT_OF_ORDER_MS);
  });

  test("does not go back when an idle task wakes up behind the others", () => {
    const chain = chainOf(byCity());
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), 0);
    chain.settle();
    for (const task of [1, 2]) chain.tick("sales.by-city", task, 5_000);
    chain.settle();
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 300 })), 1);
    chain.settle();
    expect(watermark(chain)).toBe(1_000 - OUT_OF_ORDER_MS);

    chain.produce(SALES_TOPIC, recordOf(sale({ at: 5_000 }), 9_000), 0);
    chain.settle();

    expect(watermark(chain)).toBe(1_000 - OUT_OF_ORDER_MS);
  });

  test("moves on with the clock where everything is silent", () => {
    const chain = chainOf(byCity());
    for (const task of PARTITIONS_OF) chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), task);
    chain.settle();
    for (const task of PARTITIONS_OF) chain.tick("sales.by-city", task, 1_000 + 500);
    chain.settle();

    expect(watermark(chain)).toBe(1_000 - OUT_OF_ORDER_MS + 500);
    expect(lastResults(chain.outputs, "sales.results").size).toBe(1);
  });

  test("a tick matters to a stage that passes the watermark on once for each idle timeout", () => {
    const { task } = chainWithOneEvent().stage("sales.by-city")[0]!;
    const idleTimeoutMs = 60_000;
    expect(task.tickMatters(0, 1_000 + idleTimeoutMs)).toBe(true);
    task.tick(0, 1_000 + idleTimeoutMs);

    expect(task.tickMatters(0, 1_000 + idleTimeoutMs + 1)).toBe(false);
    expect(task.tickMatters(0, 1_000 + 2 * idleTimeoutMs)).toBe(true);
  });

  function chainWithOneEvent(): Chain {
    const chain = chainOf(byCity());
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), 0);
    chain.settle();
    return chain;
  }

  test("is told at most once a second of arrival, and for each thousand records", () => {
    const chain = chainOf(byCity());
    for (let n = 0; n < 2_500; n++) chain.produce(SALES_TOPIC, recordOf(sale({ at: n }), 100), 0);
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 3_000 }), 1_100), 0);
    chain.settle();

    const told = chain.outputs.filter(({ key, partition }) => key === null && partition === 3);
    expect(told.map(({ headers }) => Number(headers["spillway-watermark-ms"]) + OUT_OF_ORDER_MS)).toEqual([
      0, 1_000, 2_000, 3_000,
    ]);
  });
});

describe("records that the stages reject", () => {
  const reasons = (chain: Chain) =>
    chain.outputs
      .filter(({ topic }) => topic === "dead-letters")
      .map(({ headers }) => [headers[deadLetterHeaders.stage], headers[deadLetterHeaders.reason]]);

  test("late is what comes later than the stage behind has come, and goes to the pipeline's late events", () => {
    const chain = chainOf(byCity());
    for (const task of PARTITIONS_OF) chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), task);
    chain.settle();
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 5, id: "old" })), 0);
    chain.settle();

    const [late] = toTopic(chain, "sales.late");
    expect(JSON.parse(late!.value as string)).toEqual({
      time: 5,
      identity: "old",
      element: sale({ at: 5, id: "old" }),
    });
  });

  test("an element in a partition that is not its key's is dead", () => {
    const chain = chainOf(byCity());
    const value = JSON.stringify({ time: 1, identity: "x", element: sale() });
    for (let partition = 0; partition < 4; partition++) {
      chain.produce(FORWARDED, { key: "c", value }, partition);
    }
    chain.settle();

    expect(reasons(chain)).toEqual(Array.from({ length: 3 }, () => ["sales", "key-elsewhere"]));
  });

  test.each([
    ["a watermark record of nobody upstream", { "spillway-watermark-ms": "5" }],
    ["one of a task that cannot be", { "spillway-watermark-ms": "5", "spillway-watermark-task": "3/3" }],
    ["one without a time", { "spillway-watermark-ms": "soon", "spillway-watermark-task": "0/3" }],
  ])("%s is dead between stages", (_, headers) => {
    const chain = chainOf(byCity());
    chain.produce(FORWARDED, { key: null, value: null, headers }, 0);
    chain.settle();

    expect(reasons(chain)).toEqual([["sales", "undecodable"]]);
  });

  test.each<[string, unknown, string]>([
    ["is not JSON", 1n, "user-code-failed"],
    ["is too large to forward", "x".repeat(1_100_000), "invalid-event"],
  ])("an element that %s is dead before it is forwarded", (_, element, reason) => {
    const definition = pipeline("sales")
      .from<Sale>(salesSource, { outOfOrderMs: 0 })
      .map(() => element)
      .rekeyBy("by-city", () => "k")
      .window(tumbling({ sizeMs: WINDOW_MS }))
      .aggregate({ n: count() })
      .toResults();
    const chain = chainOf(definition);
    chain.produce(SALES_TOPIC, recordOf(sale()));
    chain.settle();

    expect(reasons(chain)).toEqual([["sales.by-city", reason]]);
  });

  test.each<[unknown, string]>([
    ["", "invalid-key"],
    ["x".repeat(2_000), "key-too-large"],
  ])("an element whose new key cannot be one is dead before it is forwarded", (city, reason) => {
    const chain = chainOf(byCity());
    chain.produce(SALES_TOPIC, recordOf(sale({ city: city as string })));
    chain.settle();

    expect(reasons(chain)).toEqual([["sales.by-city", reason]]);
  });
});

describe("the definition", () => {
  test("is two stages, joined by a topic", () => {
    const definition = byCity({ partitions: 12 });
    const [first] = definition.upstream;

    expect(first).toMatchObject({
      name: "sales.by-city",
      service: "sales",
      upstream: [],
      forwards: { topic: FORWARDED, partitions: 12 },
      inputs: [{ role: "events", topic: SALES_TOPIC, dedupeHorizonMs: null }],
    });
    expect(definition).toMatchObject({
      name: "sales",
      forwards: null,
      inputs: [{ role: "forwarded", topic: FORWARDED, dedupeHorizonMs: WINDOW_MS, idleTimeoutMs: null }],
    });
  });

  test("identities do not travel where the pipeline does not dedupe", () => {
    const chain = chainOf(byCity({ dedupe: false }));
    chain.produce(SALES_TOPIC, recordOf(sale()));
    chain.settle();

    const [forwarded] = toTopic(chain, FORWARDED).filter(({ key }) => key !== null);
    expect(JSON.parse(forwarded!.value as string)).toEqual({ time: 0, element: sale() });
  });

  test.each([
    ["sink", 4],
    ["By City", 4],
    ["by-city", 0],
  ])("refuses the name %s with %i partitions", (name, partitions) => {
    const stream = pipeline("sales").from<Sale>(salesSource, { outOfOrderMs: 0 });

    expect(() => stream.rekeyBy(name, (one) => one.city, { partitions })).toThrow(PipelineError);
  });
});
