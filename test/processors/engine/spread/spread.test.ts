import { describe, expect, test } from "vitest";
import { partitionOf } from "../../../../contracts/partitioning.ts";
import {
  type Aggregate,
  count,
  hopping,
  max,
  mean,
  min,
  type PipelineDefinition,
  pipeline,
  sum,
  tumbling,
  type WindowOptions,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { FixedWindow } from "../../../../processors/engine/windows/window.ts";
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

const PARTITIONS = 4;
const FORWARDED = "sales.by-city.forwarded";
const END_MS = 1_000_000;

const fields = {
  n: count<Sale>(),
  total: sum<Sale>((sale) => sale.amount),
};

interface Settings {
  readonly window?: FixedWindow;
  readonly options?: WindowOptions;
  readonly aggregates?: Record<string, Aggregate<Sale>>;
}

const start = () => pipeline("sales").from<Sale>(salesSource, { outOfOrderMs: OUT_OF_ORDER_MS });

const spread = ({ window = tumbling({ sizeMs: WINDOW_MS }), options, aggregates = fields }: Settings = {}) =>
  start()
    .spreadBy("by-city", (sale) => sale.city)
    .window(window, options)
    .aggregate(aggregates)
    .toResults();

const unspread = ({
  window = tumbling({ sizeMs: WINDOW_MS }),
  options,
  aggregates = fields,
}: Settings = {}) =>
  start()
    .rekeyBy("by-city", (sale) => sale.city)
    .window(window, options)
    .aggregate(aggregates)
    .toResults();

function run(definition: PipelineDefinition, sales: readonly Sale[], seed = 1, crashes = 0): Chain {
  const chain = new Chain(definition, { seed, crashes, partitions: PARTITIONS });
  for (const sale of sales) chain.produce(SALES_TOPIC, recordOf(sale));
  chain.flush(SALES_TOPIC, END_MS);
  chain.run();
  return chain;
}

const results = (chain: Chain) => lastResults(chain.outputs, "sales.results");
const toTopic = (chain: Chain, topic: string) =>
  chain.outputs.filter((output) => output.topic === topic).map(readable);

const sale = (fields: Partial<Sale> = {}): Sale => ({
  id: `${fields.at ?? 0}-${fields.shop ?? "s"}`,
  shop: "s",
  city: "c",
  at: 0,
  amount: 1,
  ...fields,
});

describe("a key with 90 % of the traffic", () => {
  const sales = salesOf({ seed: 7, events: 3_000, hot: 0.9 });

  test("is worked on in every partition, and its one task merges rows instead of adding events", () => {
    const chain = run(spread(), sales);
    const home = partitionOf(new TextEncoder().encode("hot"), PARTITIONS);
    const worked = chain.stage("sales.by-city").map(({ task }) => task.counters.counted);
    const merged = chain.stage("sales")[home]!.task.counters.counted;

    expect(Math.min(...worked)).toBeGreaterThan(300);
    expect(merged).toBeLessThan(1_000);
    const alone = run(unspread(), sales).stage("sales")[home]!.task.counters.counted;
    expect(alone).toBeGreaterThan(2_600);
  });

  test("has the results of the pipeline that is not spread", () => {
    expect(results(run(spread(), sales))).toEqual(results(run(unspread(), sales)));
    expect(results(run(spread(), sales))).toEqual(totalsOf(sales, tumblingStarts));
  });
});

describe("results of a spread key", () => {
  test.each(Array.from({ length: 10 }, (_, seed) => seed))(
    "are those of the slow way, whatever dies and whenever it is cut (seed %i)",
    (seed) => {
      const sales = salesOf({ seed, events: 400, hot: 0.7 });
      const chain = run(spread(), sales, seed, 0.05);

      expect(results(chain)).toEqual(totalsOf(sales, tumblingStarts));
      expect(toTopic(chain, "sales.late")).toEqual([]);
      expect(toTopic(chain, "sales.by-city.late")).toEqual([]);
      expect(toTopic(chain, "dead-letters")).toEqual([]);
    },
  );

  test.each([
    hopping({ sizeMs: 120, advanceMs: 40 }),
    hopping({ sizeMs: 100, advanceMs: 30, offsetMs: 7 }),
    tumbling({ sizeMs: 100, offsetMs: -13 }),
  ])("are those of the slow way in %o", (window) => {
    const sales = salesOf({ seed: 3, events: 500, hot: 0.5 });
    const advanceMs = window.kind === "hopping" ? window.advanceMs : window.sizeMs;
    const starts = (at: number) => {
      const first =
        Math.floor((at - window.sizeMs - window.offsetMs) / advanceMs) * advanceMs + window.offsetMs;
      return Array.from({ length: 8 }, (_, n) => first + n * advanceMs).filter(
        (startMs) => startMs <= at && at < startMs + window.sizeMs,
      );
    };

    expect(results(run(spread({ window }), sales))).toEqual(totalsOf(sales, starts));
  });

  test("merge means and extremes of the parts", () => {
    const aggregates = {
      mean: mean<Sale>((one) => one.amount),
      least: min<Sale>((one) => one.amount),
      most: max<Sale>((one) => one.amount),
    };
    const shops = Array.from({ length: 20 }, (_, n) => sale({ shop: `shop-${n}`, amount: n }));
    const chain = run(spread({ aggregates }), shops);

    expect([...results(chain)]).toEqual([["c 0", '{"mean":9.5,"least":0,"most":19}']]);
  });

  test("are emitted again when a row comes within the lateness", () => {
    const definition = spread({ options: { allowedLatenessMs: 500 } });
    const chain = new Chain(definition, { seed: 1, partitions: 1 });
    for (const at of [1, 300, 2]) chain.produce(SALES_TOPIC, recordOf(sale({ at })));
    chain.settle();
    chain.flush(SALES_TOPIC, 300);
    chain.settle();
    chain.produce(SALES_TOPIC, recordOf(sale({ at: 3 }), 9_000));
    chain.settle();

    const revisions = toTopic(chain, "sales.results").map(
      ({ value }) => value as { value: object; revision: number },
    );
    expect(revisions.map(({ value, revision }) => [value, revision])).toEqual([
      [{ n: 2, total: 2 }, 1],
      [{ n: 3, total: 3 }, 2],
    ]);
  });
});

describe("judgement of a spread key", () => {
  test("duplicates and late events are the first stage's, with their original bytes", () => {
    const chain = new Chain(spread(), { seed: 1, partitions: 1 });
    for (const one of [sale({ at: 1_000 }), sale({ at: 1_000 }), sale({ at: 5 })]) {
      chain.produce(SALES_TOPIC, recordOf(one));
    }
    chain.settle();

    expect(chain.stage("sales.by-city")[0]!.task.counters).toMatchObject({
      counted: 1,
      duplicate: 1,
      late: 1,
    });
    expect(toTopic(chain, "sales.by-city.late").map(({ value }) => value)).toEqual([
      JSON.stringify(sale({ at: 5 })),
    ]);
  });

  test("what is late is so without dedupe too", () => {
    const definition = pipeline("sales")
      .from<Sale>(salesSource, { outOfOrderMs: 0, dedupe: false })
      .spreadBy("by-city", (one) => one.city)
      .window(hopping({ sizeMs: 100, advanceMs: 50 }), { allowedLatenessMs: 10 })
      .aggregate(fields)
      .toResults();
    const chain = new Chain(definition, { seed: 1, partitions: 1 });
    for (const at of [259, 151, 99, 149]) chain.produce(SALES_TOPIC, recordOf(sale({ at })));
    chain.settle();

    const { task } = chain.stage("sales.by-city")[0]!;
    expect(task.counters).toMatchObject({ counted: 2, late: 2, duplicate: 0 });
    expect(toTopic(chain, "sales.by-city.late").map(({ headers }) => headers)).toMatchObject([
      { "spillway-late-by-ms": "99" },
      { "spillway-late-by-ms": "49" },
    ]);
  });

  test("what is no row of this pipeline is dead between the stages", () => {
    const chain = new Chain(spread(), { seed: 1, partitions: 1 });
    for (const value of ["{}", new Uint8Array([9, 1]), new Uint8Array([])]) {
      chain.produce(FORWARDED, { key: "c", value });
    }
    chain.settle();

    expect(chain.stage("sales")[0]!.task.counters).toMatchObject({ dead: 3 });
  });
});

describe("a changed definition", () => {
  test("reads the rows that were written before an aggregate was added", () => {
    const before = new Chain(spread({ aggregates: { n: fields.n } }), { seed: 1, partitions: 1 });
    before.produce(SALES_TOPIC, recordOf(sale()));
    before.settle();
    const [row] = before.outputs.filter(({ topic, key }) => topic === FORWARDED && key !== null);
    const after = new Chain(spread(), { seed: 1, partitions: 1 });
    after.produce(FORWARDED, { key: "c", value: row!.value });
    after.produce(SALES_TOPIC, recordOf(sale({ id: "later", amount: 5 })));
    after.flush(SALES_TOPIC, END_MS);
    after.settle();

    expect([...results(after)]).toEqual([["c 0", '{"n":2,"total":5}']]);
  });

  test("does not read rows of an aggregate that has become another", () => {
    const extremes = [min, max].map((make) => ({ extreme: make<Sale>((one) => one.amount) }));
    const before = new Chain(spread({ aggregates: extremes[0]! }), { seed: 1, partitions: 1 });
    before.produce(SALES_TOPIC, recordOf(sale()));
    before.settle();
    const [row] = before.outputs.filter(({ topic, key }) => topic === FORWARDED && key !== null);
    const after = new Chain(spread({ aggregates: extremes[1]! }), { seed: 1, partitions: 1 });
    after.produce(FORWARDED, { key: "c", value: row!.value });
    after.settle();

    expect(after.stage("sales")[0]!.task.counters).toMatchObject({ dead: 1 });
  });
});
