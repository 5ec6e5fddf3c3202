import { describe, expect, test } from "vitest";
import { deadLetterHeaders } from "../../../../contracts/dead-letter.ts";
import {
  count,
  type PipelineDefinition,
  PipelineError,
  pipeline,
  stream,
  sum,
  table,
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

const SHOPS_TOPIC = "shops";
const PARTITIONS = 3;
const END_MS = 1_000_000;

interface Shop {
  readonly rate: number;
}

const shops = table<Shop>({
  topic: SHOPS_TOPIC,
  decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Shop,
});

const keyed = () =>
  pipeline("sales")
    .from<Sale>(salesSource, { outOfOrderMs: OUT_OF_ORDER_MS })
    .keyBy((sale) => sale.shop);

/** The amounts of each shop in its own currency; what has no row counts, and adds nothing. */
const converted = (): PipelineDefinition =>
  keyed()
    .filter((sale) => sale.amount >= 0)
    .lookup(shops, (sale, shop) => ({ ...sale, amount: sale.amount * (shop?.rate ?? 0) }))
    .map((sale) => sale.amount)
    .window(tumbling({ sizeMs: WINDOW_MS }))
    .aggregate({ n: count(), total: sum((amount) => amount) })
    .toResults();

const chainOf = (definition = converted(), seed = 1, crashes = 0) =>
  new Chain(definition, { seed, crashes, partitions: PARTITIONS });

const row = (shop: string, rate: number | null) => ({
  key: shop,
  value: rate === null ? null : JSON.stringify({ rate }),
});

const sale = (fields: Partial<Sale> = {}): Sale => ({
  id: `${fields.at ?? 0}`,
  shop: "s",
  city: "c",
  at: 0,
  amount: 1,
  ...fields,
});

const totals = (chain: Chain) => {
  chain.flush(SALES_TOPIC, END_MS);
  chain.settle();
  return [...lastResults(chain.outputs, "sales.results")].map(([key, value]) => `${key} ${value}`);
};

describe("a look-up", () => {
  test.each(Array.from({ length: 8 }, (_, seed) => seed))(
    "gives every event its row, whatever dies and whenever it is cut (seed %i)",
    (seed) => {
      const sales = salesOf({ seed, events: 300 });
      const rates = new Map(sales.map(({ shop }, n) => [shop, n % 7]));
      const chain = chainOf(converted(), seed, 0.05);
      for (const [shop, rate] of rates) chain.produce(SHOPS_TOPIC, row(shop, rate));
      chain.run();
      for (const one of sales) chain.produce(SALES_TOPIC, recordOf(one));
      chain.flush(SALES_TOPIC, END_MS);
      chain.run();

      const expected = sales.map((one) => ({
        ...one,
        city: one.shop,
        amount: one.amount * rates.get(one.shop)!,
      }));
      expect(lastResults(chain.outputs, "sales.results")).toEqual(totalsOf(expected, tumblingStarts));
    },
  );

  test("finds the newest row, and none once it was deleted", () => {
    const chain = chainOf();
    const steps: [number | null, number][] = [
      [2, 1],
      [3, 101],
      [null, 201],
    ];
    for (const [rate, at] of steps) {
      chain.produce(SHOPS_TOPIC, row("s", rate));
      chain.settle();
      chain.produce(SALES_TOPIC, recordOf(sale({ at })));
      chain.settle();
    }

    expect(totals(chain)).toEqual([
      's 0 {"n":1,"total":2}',
      's 100 {"n":1,"total":3}',
      's 200 {"n":1,"total":0}',
    ]);
  });

  test("finds rows that only a snapshot remembers, and not those that were deleted since", () => {
    const chain = chainOf(converted(), 1, 0.4);
    for (let n = 0; n < 30; n++) chain.produce(SHOPS_TOPIC, row(`shop-${n}`, n));
    chain.run();
    for (let n = 0; n < 30; n += 2) chain.produce(SHOPS_TOPIC, row(`shop-${n}`, null));
    chain.run();
    for (let n = 0; n < 30; n++)
      chain.produce(SALES_TOPIC, recordOf(sale({ id: `${n}`, shop: `shop-${n}` })));
    chain.flush(SALES_TOPIC, END_MS);
    chain.run();

    const found = [...lastResults(chain.outputs, "sales.results")];
    expect(found.map(([key, value]) => [key, (JSON.parse(value) as { total: number }).total]).sort()).toEqual(
      Array.from({ length: 30 }, (_, n) => [`shop-${n} 0`, n % 2 === 0 ? 0 : n]).sort(),
    );
  });

  test("works behind another key, and in branches that share the table", () => {
    const definition = pipeline("sales")
      .from<Sale>(salesSource, { outOfOrderMs: OUT_OF_ORDER_MS })
      .rekeyBy("by-city", (one) => one.city)
      .lookup(shops, (one, shop) => one.amount * (shop?.rate ?? 0))
      .branch({
        all: (amounts) =>
          amounts.window(tumbling({ sizeMs: WINDOW_MS })).aggregate({ total: sum((amount) => amount) }),
        twice: (amounts) =>
          amounts
            .lookup(shops, (amount, shop) => amount * (shop?.rate ?? 0))
            .window(tumbling({ sizeMs: WINDOW_MS }))
            .aggregate({ total: sum((amount) => amount) }),
      })
      .toResults();
    const chain = chainOf(definition);
    chain.produce(SHOPS_TOPIC, row("c", 3));
    chain.settle();
    chain.produce(SALES_TOPIC, recordOf(sale({ amount: 5 })));
    chain.flush(SALES_TOPIC, END_MS);
    chain.settle();

    expect([...lastResults(chain.outputs, "sales.all.results").values()]).toEqual(['{"total":15}']);
    expect([...lastResults(chain.outputs, "sales.twice.results").values()]).toEqual(['{"total":45}']);
  });
});

describe("a table", () => {
  test("neither moves the watermark nor holds it back", () => {
    const chain = chainOf();
    chain.produce(SHOPS_TOPIC, row("s", 1));
    chain.settle();
    expect(chain.tasks.map(({ task }) => task.watermarkMs)).toEqual(
      Array(PARTITIONS).fill(Number.NEGATIVE_INFINITY),
    );

    for (const partition of [0, 1, 2]) chain.produce(SALES_TOPIC, recordOf(sale({ at: 1_000 })), partition);
    chain.settle();

    const watermarks = chain.tasks.map(({ task }) => task.watermarkMs);
    expect(Math.max(...watermarks)).toBe(1_000 - OUT_OF_ORDER_MS);
  });

  test.each<[string, { key: string | null; value: string | null }, number, string]>([
    ["without a key", { key: null, value: "{}" }, 0, "invalid-key"],
    ["without key and value", { key: null, value: null }, 0, "invalid-key"],
    ["that cannot be decoded", { key: "s", value: "{" }, -1, "undecodable"],
    ["of another partition", { key: "s", value: "{}" }, -2, "key-elsewhere"],
  ])("a record %s is dead", (_, record, place, reason) => {
    const chain = chainOf();
    if (place === -2) for (const partition of [0, 1, 2]) chain.produce(SHOPS_TOPIC, record, partition);
    else chain.produce(SHOPS_TOPIC, record, place === -1 ? undefined : place);
    chain.settle();

    const dead = chain.outputs.filter(({ topic }) => topic === "dead-letters").map(readable);
    expect(
      new Set(dead.map(({ headers }) => (headers as Record<string, string>)[deadLetterHeaders.reason])),
    ).toEqual(new Set([reason]));
    expect(dead).toHaveLength(place === -2 ? 2 : 1);
  });

  test("is an input of its own, without time", () => {
    expect(converted().inputs.map(({ role, topic, idleTimeoutMs }) => [role, topic, idleTimeoutMs])).toEqual([
      ["events", SALES_TOPIC, 60_000],
      ["table", SHOPS_TOPIC, null],
    ]);
  });

  test("cannot be made of the stream's own topic, nor twice of one topic", () => {
    const own = table<Sale>({ topic: SALES_TOPIC, decode: salesSource.decode });
    const again = table<Shop>({ ...shops });
    const windows = tumbling({ sizeMs: WINDOW_MS });

    expect(() =>
      keyed()
        .lookup(own, (one) => one)
        .window(windows)
        .aggregate({ n: count() })
        .toResults(),
    ).toThrow(PipelineError);
    expect(() =>
      keyed()
        .lookup(shops, (one) => one)
        .lookup(again, (one) => one)
        .window(windows)
        .aggregate({ n: count() })
        .toResults(),
    ).toThrow(/two tables read the topic shops/);
  });

  test("is looked up for the left side of a join, and not for the right", () => {
    const refunds = stream<Sale>({ ...salesSource, topic: "refunds-in" }, { outOfOrderMs: 0 });
    const definition = keyed()
      .lookup(shops, (one, shop) => ({ ...one, amount: one.amount * (shop?.rate ?? 0) }))
      .join(
        refunds.keyBy((one) => one.shop),
        {
          kind: "inner",
          beforeMs: 0,
          afterMs: 10,
          combine: (sold, refunded) => ({ sold: sold.amount, refunded: refunded.amount }),
        },
      )
      .toResults();
    const chain = chainOf(definition);
    chain.produce(SHOPS_TOPIC, row("s", 7));
    chain.settle();
    chain.produce(SALES_TOPIC, recordOf(sale({ amount: 2 })));
    chain.produce("refunds-in", recordOf(sale({ amount: 3, at: 5 })));
    for (const topic of [SALES_TOPIC, "refunds-in"]) chain.flush(topic, END_MS);
    chain.settle();

    const [result] = chain.outputs.filter(({ topic }) => topic === "sales.results").map(readable);
    expect(result!.value).toMatchObject({ value: { sold: 14, refunded: 3 } });
  });

  test("code of the look-up that throws dead-letters its event and leaves no trace", () => {
    const definition = keyed()
      .lookup(shops, (one, shop) => one.amount * shop!.rate)
      .window(tumbling({ sizeMs: WINDOW_MS }))
      .aggregate({ total: sum((amount) => amount) })
      .toResults();
    const chain = chainOf(definition);
    chain.produce(SALES_TOPIC, recordOf(sale()));
    chain.settle();
    chain.produce(SHOPS_TOPIC, row("s", 2));
    chain.settle();
    chain.produce(SALES_TOPIC, recordOf(sale()));

    expect(totals(chain)).toEqual(['s 0 {"total":2}']);
  });
});
