/** What the compiler says of aggregates: these tests are checked by tsc, whatever they do when they run. */
import { expect, expectTypeOf, test } from "vitest";
import type { Aggregate } from "../../../../processors/engine/aggregates/aggregate.ts";
import { type Collected, collect } from "../../../../processors/engine/aggregates/collect.ts";
import { aggregate } from "../../../../processors/engine/aggregates/custom.ts";
import { distinct } from "../../../../processors/engine/aggregates/distinct.ts";
import { first } from "../../../../processors/engine/aggregates/first.ts";
import { distinctApprox } from "../../../../processors/engine/aggregates/hyper-log-log.ts";
import { last } from "../../../../processors/engine/aggregates/last.ts";
import { count, max, sum } from "../../../../processors/engine/aggregates/numeric.ts";
import { quantiles } from "../../../../processors/engine/aggregates/quantiles.ts";
import { sumBigInt } from "../../../../processors/engine/aggregates/sum-big-int.ts";
import { topK } from "../../../../processors/engine/aggregates/top-k.ts";
import { variance } from "../../../../processors/engine/aggregates/variance.ts";
import type { ResultOfFields } from "../../../../processors/engine/pipeline/window-step.ts";

interface Payment {
  readonly user: string;
  readonly amount: number;
  readonly cents: bigint;
  readonly note?: string;
}

/** As the DSL's step: the event's type is known, and that of each aggregate follows. */
function fields<Fields extends Readonly<Record<string, Aggregate<Payment>>>>(all: Fields): Fields {
  return all;
}

test("the event of every selector is inferred, and the result's type with it", () => {
  const all = fields({
    payments: count((payment) => payment.amount > 0),
    total: sum((payment) => payment.amount),
    exact: sumBigInt((payment) => payment.cents),
    spread: variance((payment) => payment.amount, { population: true }),
    highest: max((payment) => payment.amount),
    opening: first((payment) => payment.user),
    latest: last((payment) => ({ user: payment.user, amount: payment.amount })),
    users: distinct((payment) => payment.user),
    aboutUsers: distinctApprox((payment) => payment.user, { precision: 10 }),
    sizes: quantiles((payment) => payment.amount, { probabilities: [0.5] }),
    spenders: topK((payment) => payment.user, { k: 3, by: (payment) => payment.amount }),
    amounts: collect((payment) => payment.amount, { maxItems: 5 }),
    longestNote: aggregate({
      kind: "longest-note",
      create: () => 0,
      add: (longest, payment) => Math.max(longest, payment.note?.length ?? 0),
      merge: (a, b) => Math.max(a, b),
      result: (longest) => longest,
      encode: (longest) => Uint8Array.of(longest),
      decode: (bytes) => bytes[0]!,
    }),
  });

  type ResultOf<Of> = Of extends Aggregate<Payment, infer Result> ? Result : never;
  expectTypeOf<ResultOf<typeof all.total>>().toEqualTypeOf<number>();
  expectTypeOf<ResultOf<typeof all.exact>>().toEqualTypeOf<string>();
  expectTypeOf<ResultOf<typeof all.opening>>().toEqualTypeOf<string | null>();
  expectTypeOf<ResultOf<typeof all.latest>>().toEqualTypeOf<{ user: string; amount: number } | null>();
  expectTypeOf<ResultOf<typeof all.longestNote>>().toEqualTypeOf<number>();
  expectTypeOf<
    ResultOfFields<Pick<typeof all, "payments" | "highest" | "opening" | "amounts">>
  >().toEqualTypeOf<{
    readonly payments: number;
    readonly highest: number | null;
    readonly opening: string | null;
    readonly amounts: Collected<number>;
  }>();
  expect(Object.keys(all)).toHaveLength(13);
});

test("what a selector may not return does not compile", () => {
  fields({
    // @ts-expect-error a bigint is for sumBigInt
    total: sum((payment) => payment.cents),
    // @ts-expect-error a number is for sum
    exact: sumBigInt((payment) => payment.amount),
    // @ts-expect-error text is no number
    highest: max((payment) => payment.user),
    // @ts-expect-error a note may be undefined, which JSON has not
    opening: first((payment) => payment.note),
    // @ts-expect-error JSON has no bigint
    latest: last((payment) => payment.cents),
    // @ts-expect-error an object has no identity of its own
    users: distinct((payment) => ({ user: payment.user })),
    // @ts-expect-error there is no such field
    amounts: collect((payment) => payment.price, { maxItems: 5 }),
  });

  // @ts-expect-error maxItems is not optional
  expect(() => collect((payment: Payment) => payment.amount, {})).toThrow("maxItems is undefined");
});
