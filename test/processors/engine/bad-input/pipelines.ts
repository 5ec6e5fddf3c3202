/** A pipeline of each kind of step over the same plain JSON items, for input that is bad whatever the step. */
import {
  count,
  global,
  hopping,
  type KeyedStream,
  keyedState,
  max,
  onUpdate,
  type PipelineDefinition,
  type PipelineOptions,
  pipeline,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver, type TestRecord } from "../../../../processors/engine/testing/test-driver.ts";

export const TOPIC = "items";
export const RIGHT_TOPIC = "others";
export const TABLE_TOPIC = "rows";

export interface Item {
  readonly id: string;
  readonly key: string;
  /** Event time, milliseconds. */
  readonly t: number;
  readonly v: number;
}

/** JSON in which "#NaN" is the number. */
export const decode = (value: Uint8Array): Item =>
  JSON.parse(new TextDecoder().decode(value), (_, part) => (part === "#NaN" ? Number.NaN : part)) as Item;

export const sourceOf = (topic: string) => ({
  topic,
  decode,
  time: ({ t }: Item) => t,
  identity: ({ id }: Item) => id,
});

/** The time that state of any kind stays after its event. */
export const STAY_MS = 10;
const DEDUPE = { horizonMs: 1_000 };
const rows = table<{ readonly rate: number }>({
  topic: TABLE_TOPIC,
  decode: (value) => JSON.parse(new TextDecoder().decode(value)) as { rate: number },
});

type Completing = (items: KeyedStream<Item>) => PipelineDefinition;

const fields = { n: count<Item>(), total: sum(({ v }: Item) => v), most: max(({ v }: Item) => v) };

const steps: Record<string, Completing> = {
  tumbling: (items) =>
    items
      .window(tumbling({ sizeMs: STAY_MS }))
      .aggregate(fields)
      .toResults(),
  hopping: (items) =>
    items
      .window(hopping({ sizeMs: STAY_MS, advanceMs: STAY_MS / 2 }))
      .aggregate(fields)
      .toResults(),
  session: (items) =>
    items
      .window(session({ gapMs: STAY_MS }))
      .aggregate(fields)
      .toResults(),
  sliding: (items) =>
    items
      .window(sliding({ sizeMs: STAY_MS }))
      .aggregate(fields)
      .toResults(),
  global: (items) =>
    items
      .window(global({ trigger: onUpdate() }))
      .aggregate(fields)
      .toResults(),
  process: (items) =>
    items
      .process({
        state: keyedState<{ total: number }>({ ttlMs: STAY_MS }),
        onEvent: ({ v }, { state, timers, emit, timeMs }) => {
          const total = (state.get()?.total ?? 0) + v;
          state.set({ total });
          timers.set(timeMs + STAY_MS);
          emit({ total });
        },
        onTimer: (_, { state, emit }) => emit({ at: state.get()?.total ?? -1 }),
      })
      .toResults(),
  correlate: (items) =>
    items
      .correlate({
        withinMs: STAY_MS,
        all: { small: ({ v }: Item) => v < 2, large: ({ v }: Item) => v >= 2 },
      })
      .toResults(),
  join: (items) =>
    items
      .join(
        stream(sourceOf(RIGHT_TOPIC), { outOfOrderMs: 0, idleTimeoutMs: 1, dedupe: false }).keyBy(
          ({ key }) => key,
        ),
        {
          kind: "left",
          beforeMs: STAY_MS,
          afterMs: STAY_MS,
          combine: (left, right) => ({ left: left.key, right: right?.key ?? null }),
        },
      )
      .toResults(),
  lookup: (items) =>
    items
      .lookup(rows, (item, row) => (row === undefined ? item : { ...item, v: item.v * row.rate }))
      .window(tumbling({ sizeMs: STAY_MS }))
      .aggregate(fields)
      .toResults(),
};

export const kinds = Object.keys(steps);
/** Of several stages. */
export const stagedKinds = ["rekey", "spread"];
export const allKinds = [...kinds, ...stagedKinds];

/** @param options limits, and whether it dedupes (by id, for a second) */
export function pipelineOf(
  kind: string,
  { dedupe = true, ...options }: PipelineOptions & { readonly dedupe?: boolean } = {},
): PipelineDefinition {
  const items = pipeline("bad-input", options).from<Item>(sourceOf(TOPIC), {
    outOfOrderMs: 0,
    dedupe: dedupe && DEDUPE,
  });
  if (kind === "rekey") return steps.tumbling!(items.rekeyBy("by-key", ({ key }) => key));
  if (kind === "spread") {
    return items
      .spreadBy("by-key", ({ key }) => key)
      .window(tumbling({ sizeMs: STAY_MS }))
      .aggregate(fields)
      .toResults();
  }
  return steps[kind]!(items.keyBy(({ key }) => key));
}

/** A driver of it, with nothing that another input holds back. */
export function driverOf(kind: string, options: Parameters<typeof pipelineOf>[1] = {}): TestDriver {
  const driver = new TestDriver(pipelineOf(kind, options));
  if (kind === "join") driver.watermark(Number.MAX_SAFE_INTEGER, RIGHT_TOPIC);
  return driver;
}

let nextId = 0;

/** A record of an item, with an id of its own. */
export const record = (fields: Partial<Item>, rest: Partial<TestRecord> = {}): TestRecord => ({
  value: { id: `id-${nextId++}`, key: "k", t: 0, v: 1, ...fields },
  ...rest,
});
