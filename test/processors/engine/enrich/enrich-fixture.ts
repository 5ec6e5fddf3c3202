/** Payments whose card's country a service knows. */
import {
  collect,
  count,
  type EnrichOptions,
  type PipelineDefinition,
  pipeline,
  sum,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";

export interface Payment {
  readonly id: string;
  readonly user: string;
  /** Event time, milliseconds. */
  readonly t: number;
  readonly card: string | null;
  readonly amount: number;
}

export type Located = Payment & { readonly country: string | null };

export const source = {
  topic: "payments-in",
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Payment,
  time: (payment: Payment) => payment.t,
  identity: (payment: Payment) => payment.id,
};

/** Those of a service that is asked one question a call, and must be asked. */
export type Options = Partial<Extract<EnrichOptions<Payment, string, Located>, { readonly askMany?: never }>>;

export const started = (options: Options = {}) =>
  pipeline("payments")
    .from<Payment>(source, { outOfOrderMs: 5 })
    .enrich<string, Located>({
      service: "countries",
      question: ({ card }) => card,
      ask: async (card) => `country of ${card}`,
      combine: (payment, country) => ({ ...payment, country: country ?? null }),
      ...options,
    });

/** Payments a user and ten milliseconds, and where they were made. */
export const located = (options: Options = {}): PipelineDefinition =>
  started(options)
    .keyBy((payment) => payment.user)
    .window(tumbling({ sizeMs: 10 }))
    .aggregate({
      n: count(),
      total: sum((payment) => payment.amount),
      countries: collect((payment) => payment.country, { maxItems: 20 }),
    })
    .toResults();

let ids = 0;

export const payment = (fields: Partial<Payment> = {}): { value: Payment } => ({
  value: { id: `p${ids++}`, user: "u", t: 0, card: "c1", amount: 1, ...fields },
});
