import { describe, expect, test } from "vitest";
import { keyedState, PipelineError, pipeline } from "../../../../processors/engine/pipeline/dsl.ts";

describe("the definition of a process step", () => {
  const source = { topic: "t", decode: () => ({ at: 0 }), time: () => 0, identity: () => "id" };
  const keyed = () =>
    pipeline("p")
      .from(source, { outOfOrderMs: 0 })
      .keyBy(() => "k");

  test("without a time to live must say how long ids are remembered", () => {
    expect(() =>
      keyed()
        .process({ onEvent: () => undefined })
        .toResults(),
    ).toThrow(PipelineError);
  });

  test("with one remembers them for as long", () => {
    const definition = keyed()
      .process({ state: keyedState<number>({ ttlMs: 500 }), onEvent: () => undefined })
      .toResults();

    expect(definition.inputs[0]!.dedupeHorizonMs).toBe(500);
  });

  test("with a time to live of nothing is refused", () => {
    const make = () => keyed().process({ state: keyedState<number>({ ttlMs: 0 }), onEvent: () => undefined });

    expect(make).toThrow("state.ttlMs is 0");
  });

  test("is typed by its state", () => {
    keyed().process({
      state: keyedState<{ seen: number[] }>(),
      onEvent: (event, { state, emit }) => {
        const at: number = event.at;
        state.set({ seen: [at] });
        // @ts-expect-error the event has no such field
        event.when;
        // @ts-expect-error another type of state
        state.set("text");
        // @ts-expect-error a state is not changed in place
        state.get()?.seen.push(1);
        // @ts-expect-error a result is an object
        emit(5);
      },
    });
    keyed().process({
      onEvent: (_, { state }) => {
        // @ts-expect-error no state was declared
        state.set(5);
      },
    });
    // @ts-expect-error JSON has no dates
    keyedState<{ at: Date }>();
    // @ts-expect-error nor maps
    keyedState<Map<string, number>>({ ttlMs: 5 });
    keyedState<{ maybe?: number; list: readonly string[]; nested: { flag: boolean | null } }>();
  });
});
