/** Orders on one topic and payments on another. */
import { type PipelineDefinition, pipeline, stream } from "../../../../processors/engine/pipeline/dsl.ts";
import { type Arrival, event, type Result, watermark } from "../scripted-run.ts";

export interface Entry {
  readonly key: string;
  readonly t: number;
  readonly n: number;
}

const decode = (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Entry;
const source = (topic: string) => ({ topic, decode, time: ({ t }: Entry) => t });

export interface JoiningOptions {
  readonly kind?: "inner" | "left";
  readonly beforeMs?: number;
  readonly afterMs?: number;
  readonly outOfOrderMs?: number;
}

export function joining({
  kind = "left",
  beforeMs = 5,
  afterMs = 10,
  outOfOrderMs = 0,
}: JoiningOptions = {}) {
  const payments = stream(source("payments"), { outOfOrderMs, dedupe: false }).keyBy(({ key }) => key);
  const combine = (order: Entry, payment?: Entry) => ({ order: order.n, payment: payment?.n ?? null });
  return pipeline("paid-orders")
    .from(source("orders"), { outOfOrderMs, dedupe: false })
    .keyBy(({ key }) => key)
    .join(payments, { kind, beforeMs, afterMs, combine })
    .toResults() satisfies PipelineDefinition;
}

/** `o5` is an order at 5, `p7` a payment at 7, both of key k and numbered by their place; a number moves both watermarks. */
export function arrivals(...words: readonly (string | number)[]): Arrival[] {
  return words.flatMap((word, n) => {
    if (typeof word === "number") return watermarks(word);
    return [event(word[0] === "o" ? "orders" : "payments", { key: "k", t: Number(word.slice(1)), n })];
  });
}

export const watermarks = (ms: number): Arrival[] => [watermark("orders", ms), watermark("payments", ms)];

/** `0+2 5..8` is order 0 with payment 2, `0 5..6` order 0 alone. */
export function lineOf({ window, value }: Result): string {
  const { order, payment } = value as { order: number; payment: number | null };
  return `${payment === null ? order : `${order}+${payment}`} ${window.start}..${window.end}`;
}
