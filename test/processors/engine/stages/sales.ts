/** Sales: events of a shop (their Kafka key) that pipelines of the tests group by another of their fields. */
import { randomFrom } from "../simulation/world.ts";
import type { Produced } from "./chain.ts";

export interface Sale {
  readonly id: string;
  readonly shop: string;
  readonly city: string;
  readonly at: number;
  readonly amount: number;
}

export const SALES_TOPIC = "sales-in";
export const WINDOW_MS = 100;
export const OUT_OF_ORDER_MS = 60;

export const salesSource = {
  topic: SALES_TOPIC,
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Sale,
  time: (sale: Sale) => sale.at,
  identity: (sale: Sale) => sale.id,
};

export const recordOf = (sale: Sale, arrivalMs = sale.at): Produced => ({
  key: sale.shop,
  value: JSON.stringify(sale),
  arrivalMs,
});

export interface Traffic {
  readonly seed: number;
  readonly events: number;
  /** Share of the events that are of the city `hot`. @default 0.2 */
  readonly hot?: number;
}

/** Sales whose disorder stays below {@link OUT_OF_ORDER_MS}, in the order in which they arrive, some of them twice. */
export function salesOf({ seed, events, hot = 0.2 }: Traffic): Sale[] {
  const random = randomFrom(seed);
  const sales: Sale[] = [];
  for (let n = 0; n < events; n++) {
    const city = random() < hot ? "hot" : `city-${Math.floor(random() * 5)}`;
    const at = n * 3 + 500 - Math.floor(random() * (OUT_OF_ORDER_MS - 5));
    const shop = `shop-${Math.floor(random() * 40)}`;
    const sale = { id: `sale-${n}`, shop, city, at, amount: Math.floor(random() * 100) };
    sales.push(sale);
    if (random() < 0.05) sales.push(sale);
  }
  return sales;
}

/** Count and sum for each city and window, worked out the slow way: `city start` to the value as JSON text. */
export function totalsOf(sales: readonly Sale[], starts: (at: number) => number[]): Map<string, string> {
  const unique = [...new Map(sales.map((sale) => [sale.id, sale])).values()];
  const totals = new Map<string, { n: number; total: number }>();
  for (const { city, at, amount } of unique) {
    for (const start of starts(at)) {
      const { n, total } = totals.get(`${city} ${start}`) ?? { n: 0, total: 0 };
      totals.set(`${city} ${start}`, { n: n + 1, total: total + amount });
    }
  }
  const asText = [...totals].map(([key, value]) => [key, JSON.stringify(value)] as const);
  return new Map(asText.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const tumblingStarts = (at: number): number[] => [Math.floor(at / WINDOW_MS) * WINDOW_MS];
