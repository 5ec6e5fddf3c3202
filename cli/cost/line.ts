/** A line of the bill. */
import { type Price, type PriceName, prices } from "./prices.ts";

/** In the order in which they are printed. */
export const groups = [
  "Kafka",
  "network",
  "processors",
  "functions and APIs",
  "spillway and doors",
  "tables",
  "buckets",
  "logs",
  "metrics, alarms, dashboards",
  "the rest",
] as const;

export type Group = (typeof groups)[number];

export interface Line {
  readonly group: Group;
  readonly item: string;
  readonly quantity: number;
  readonly price: Price;
  /** A month. */
  readonly usd: number;
}

/** `quantity` of what the price is for, a month. */
export function line(group: Group, item: string, quantity: number, price: PriceName | Price): Line {
  const taken = typeof price === "string" ? prices[price] : price;
  return { group, item, quantity, price: taken, usd: quantity * taken.usd };
}

export const total = (lines: readonly Line[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);
