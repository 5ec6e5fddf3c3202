/** What the compiler says of a pipeline's results and their schema; when these run, they only make pipelines. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { flightDeparted, loginSucceeded, paymentMade } from "../../../../contracts/events/catalogue.ts";
import {
  collect,
  count,
  distinct,
  type EventOf,
  events,
  first,
  type KeyedStream,
  keyedState,
  mean,
  type Output,
  pipeline,
  quantiles,
  stream,
  sumBigInt,
  Type,
  topK,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";

type Flights = KeyedStream<EventOf<typeof flightDeparted>>;

const flights = () =>
  pipeline("flights")
    .from(events(flightDeparted), { outOfOrderMs: 0 })
    .keyBy((flight) => flight.data.origin);
const hours = (flights: Flights) => flights.window(tumbling({ sizeMs: 3_600_000 }));
const delays = (flights: Flights) =>
  hours(flights).aggregate({ flights: count(), meanDelayMin: mean((flight) => flight.data.delayMin) });
const nullableNumber = Type.Union([Type.Number(), Type.Null()]);
const delaysSchema = Type.Object({ flights: Type.Integer(), meanDelayMin: nullableNumber });

describe("aggregates", () => {
  test("their results' types make the result's, and the events of their selectors are still inferred", () => {
    const output = hours(flights()).aggregate({
      flights: count((flight) => flight.data.delayMin > 15),
      meanDelayMin: mean((flight) => flight.data.delayMin),
      miles: sumBigInt((flight) => BigInt(flight.data.distanceMi)),
      destinations: distinct((flight) => flight.data.destination),
      firstTo: first((flight) => flight.data.destination),
      sample: collect((flight) => ({ to: flight.data.destination }), { maxItems: 2 }),
      delays: quantiles((flight) => flight.data.delayMin, { probabilities: [0.5] }),
      busiest: topK((flight) => flight.data.destination, { k: 3 }),
    });

    expectTypeOf<(typeof output)["Result"]["meanDelayMin"]>().toEqualTypeOf<number | null>();
    expectTypeOf<(typeof output)["Result"]["firstTo"]>().toEqualTypeOf<string | null>();
    expectTypeOf<(typeof output)["Result"]["miles"]>().toEqualTypeOf<string>();
    const schema = Type.Object({
      flights: Type.Integer(),
      meanDelayMin: nullableNumber,
      miles: Type.String(),
      destinations: Type.Integer(),
      firstTo: Type.Union([Type.String(), Type.Null()]),
      sample: Type.Object({
        items: Type.Array(Type.Object({ to: Type.String() })),
        truncated: Type.Integer(),
      }),
      delays: Type.Record(Type.String(), nullableNumber),
      busiest: Type.Array(
        Type.Object({
          value: Type.Union([Type.String(), Type.Number()]),
          count: Type.Number(),
          maxError: Type.Number(),
        }),
      ),
    });
    expect(output.schema(schema).toResults().resultSchemas).toEqual(new Map([["flights", schema]]));
  });

  test("a schema may say less, and have fields that nothing makes, where they are optional", () => {
    const schema = Type.Object({ flights: Type.Integer(), later: Type.Optional(Type.String()) });

    expect(delays(flights()).schema(schema).toResults().resultSchemas).toEqual(
      new Map([["flights", schema]]),
    );
  });

  test("a field that is missing, renamed or of another type does not compile", () => {
    const one = delays(flights());

    expect(() =>
      // @ts-expect-error nothing makes maxDelayMin
      one.schema(Type.Object({ flights: Type.Integer(), maxDelayMin: nullableNumber })),
    ).toThrow("maxDelayMin");
    // @ts-expect-error it is called flights
    expect(() => one.schema(Type.Object({ Flights: Type.Integer() }))).toThrow("Flights");
    // @ts-expect-error a mean may be null
    one.schema(Type.Object({ flights: Type.Integer(), meanDelayMin: Type.Number() }));
    // @ts-expect-error a count is no text
    one.schema(Type.Object({ flights: Type.String(), meanDelayMin: nullableNumber }));
    // @ts-expect-error a result is an object
    expect(() => one.schema(Type.Number())).toThrow("Type.Object");
  });

  test("of a key that is spread over tasks are the same", () => {
    const spread = pipeline("flights")
      .from(events(flightDeparted), { outOfOrderMs: 0 })
      .spreadBy("by-destination", (flight) => flight.data.destination)
      .window(tumbling({ sizeMs: 3_600_000 }))
      .aggregate({ flights: count(), meanDelayMin: mean((flight) => flight.data.delayMin) });

    const definition = spread.schema(delaysSchema).toResults();

    expect(definition.resultSchemas).toEqual(new Map([["flights", delaysSchema]]));
    expect(definition.upstream[0]!.resultSchemas).toEqual(new Map());
    // @ts-expect-error a count is no text
    spread.schema(Type.Object({ flights: Type.String() }));
  });
});

describe("branches", () => {
  test("each has a schema of its own, or none; that of main is the pipeline's", () => {
    const definition = flights()
      .branch({
        main: (stream) => delays(stream).schema(delaysSchema),
        far: (stream) => stream.branch({ away: (inner) => delays(inner).schema(delaysSchema), home: delays }),
      })
      .toResults();

    expect(definition.resultSchemas).toEqual(
      new Map([
        ["flights", delaysSchema],
        ["flights.far.away", delaysSchema],
      ]),
    );
  });

  test("what they are together has none, and an output has one", () => {
    const together = flights().branch({ main: delays });
    const stated = delays(flights()).schema(delaysSchema);

    expectTypeOf(together).not.toHaveProperty("schema");
    expectTypeOf(stated).not.toHaveProperty("schema");
  });
});

describe("user code", () => {
  const activity = () =>
    pipeline("activity")
      .from(events(loginSucceeded, paymentMade), { outOfOrderMs: 0, dedupe: false })
      .keyBy((event) => event.data.userId);
  const all = { login: loginSucceeded, payment: paymentMade };

  test("what combine of a correlation returns must fit", () => {
    const pairs = activity().correlate({
      withinMs: 1,
      all,
      combine: ({ parts: { login, payment } }) => ({
        loginId: login?.id ?? null,
        amountMinor: payment?.data.amountMinor ?? 0,
      }),
    });

    expectTypeOf(pairs).toEqualTypeOf<
      Output<{ readonly loginId: string | null; readonly amountMinor: number }>
    >();
    const loginId = Type.Union([Type.String(), Type.Null()]);
    pairs.schema(Type.Object({ loginId, amountMinor: Type.Integer() }));
    // @ts-expect-error a login may be missing
    pairs.schema(Type.Object({ loginId: Type.String(), amountMinor: Type.Integer() }));
    // @ts-expect-error it returns no payment's id
    pairs.schema(Type.Object({ paymentId: Type.String() }));
  });

  test("a correlation without combine is the result itself", () => {
    const pairs = activity().correlate({ withinMs: 1, all });

    pairs.schema(Type.Object({ complete: Type.Boolean(), missing: Type.Array(Type.String()) }));
    // @ts-expect-error it is called complete
    pairs.schema(Type.Object({ completed: Type.Boolean() }));
    // @ts-expect-error it may be incomplete
    pairs.schema(Type.Object({ complete: Type.Literal(true) }));
  });

  test("what combine of a join returns must fit, whatever its kind", () => {
    const others = stream(events(paymentMade), { outOfOrderMs: 0 }).keyBy(({ data }) => data.userId);
    const joined = flights().join(others, {
      kind: "left",
      beforeMs: 0,
      afterMs: 1,
      combine: (flight, payment) => ({
        to: flight.data.destination,
        paid: payment !== undefined,
        kind: "flight",
      }),
    });

    expectTypeOf<(typeof joined)["Result"]["paid"]>().toEqualTypeOf<boolean>();
    joined.schema(Type.Object({ to: Type.String(), paid: Type.Boolean(), kind: Type.Literal("flight") }));
    // @ts-expect-error it is called to
    joined.schema(Type.Object({ from: Type.String(), paid: Type.Boolean() }));
  });

  test("process emits what its schema says", () => {
    const results = Type.Object({ silentSinceMs: Type.Number(), tags: Type.Array(Type.String()) });
    const definition = activity()
      .process({
        results,
        state: keyedState<{ lastMs: number }>(),
        onEvent: (event, { timeMs, state, emit }) => {
          expectTypeOf(event.data.userId).toEqualTypeOf<string>();
          state.set({ lastMs: timeMs });
          // @ts-expect-error its tags are missing
          emit({ silentSinceMs: timeMs });
          // @ts-expect-error it is called silentSinceMs
          emit({ silentSince: timeMs, tags: [] });
        },
        onTimer: (firedMs, { state, emit }) => {
          const tags: readonly string[] = ["silent"];
          emit({ silentSinceMs: state.get()?.lastMs ?? firedMs, tags });
        },
      })
      .toResults();

    expect(definition.resultSchemas).toEqual(new Map([["activity", results]]));
  });

  test("type arguments do not hide the schema from emit", () => {
    const results = Type.Object({ silentSinceMs: Type.Number() });
    const state = keyedState<number>();

    // @ts-expect-error with the state's type alone, that of the schema would be any
    activity().process<number>({ results, state, onEvent: () => undefined });
    activity().process<number>({ state, onEvent: (_, { emit }) => emit({ any: "thing" }) });
    activity().process<number, typeof results>({ results, state, onEvent: () => undefined });
  });

  test("without one, it emits any object", () => {
    const processed = activity().process({ onEvent: (_, { emit }) => emit({ any: "thing" }) });

    expect(processed.toResults().resultSchemas).toEqual(new Map());
  });
});
