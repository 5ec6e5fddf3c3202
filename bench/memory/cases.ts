/** What a task can hold, a case for each kind of it: a pipeline, and records of which each makes it hold one more. */
import {
  type Aggregate,
  count,
  global,
  type KeyedStream,
  keyedState,
  max,
  mean,
  min,
  onUpdate,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
} from "../../processors/engine/pipeline/dsl.ts";

export interface MemoryCase {
  readonly name: string;
  readonly definition: PipelineDefinition;
  /** The topic that the records come from. */
  readonly topic: string;
}

/** A record's value: four bytes, the number of the record. */
interface Numbered {
  readonly n: number;
}

const TOPIC = "numbered";
const TABLE_TOPIC = "rows";
/** All records are of one moment, of today's size: a larger number takes more memory than a small one. */
export const MOMENT_MS = Date.UTC(2026, 0, 1);
/** So nothing is due. */
const FOR_LONG_MS = 86_400_000;
const LIMITS = { maxEntriesPerTask: 16_000_000, maxIdsPerTask: 100_000_000 };

const numberOf = (value: Uint8Array): number => new DataView(value.buffer, value.byteOffset).getUint32(0);

/** 36 characters, as long as a UUID is. */
const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

const source = {
  topic: TOPIC,
  decode: (value: Uint8Array): Numbered => ({ n: numberOf(value) }),
  time: () => MOMENT_MS,
  identity: ({ n }: Numbered) => idOf(n),
};
const options = { outOfOrderMs: 0, dedupe: false } as const;

const keyed = (name: string) =>
  pipeline(name, LIMITS)
    .from<Numbered>(source, options)
    .keyBy(({ n }) => `key-${n}`);

const value = ({ n }: Numbered): number => n + 0.5;
const one: Record<string, Aggregate<Numbered>> = { n: count() };
const four = { ...one, total: sum(value) };
const eight = { ...four, average: mean(value), least: min(value), most: max(value) };
const window = tumbling({ sizeMs: FOR_LONG_MS });

function caseOf(
  name: string,
  complete: (items: KeyedStream<Numbered>) => PipelineDefinition,
  topic = TOPIC,
): MemoryCase {
  return { name, definition: complete(keyed("memory")), topic };
}

const slotsOf = (fields: Record<string, Aggregate<Numbered>>): number =>
  Object.values(fields).reduce((slots, aggregate) => slots + aggregate.slots, 0);

const windowCases = [one, four, eight].map((fields) =>
  caseOf(`tumbling, slots: ${slotsOf(fields)}`, (items) =>
    items.window(window).aggregate(fields).toResults(),
  ),
);

const ids: MemoryCase = {
  name: "id seen, 36 characters",
  definition: pipeline("memory", LIMITS)
    .from<Numbered>(source, { outOfOrderMs: 0, dedupe: { horizonMs: FOR_LONG_MS } })
    .keyBy(() => "key")
    .window(window)
    .aggregate(one)
    .toResults(),
  topic: TOPIC,
};

const tableRows = caseOf(
  "row of a table, looked up once, 4 bytes",
  (items) =>
    items
      .lookup(table({ topic: TABLE_TOPIC, decode: (bytes) => ({ n: numberOf(bytes) }) }), (item) => item)
      .window(window)
      .aggregate(one)
      .toResults(),
  TABLE_TOPIC,
);

const combine = () => ({});

export const memoryCases: readonly MemoryCase[] = [
  ...windowCases,
  caseOf("session, slots: 4", (items) =>
    items
      .window(session({ gapMs: FOR_LONG_MS }))
      .aggregate(four)
      .toResults(),
  ),
  caseOf("sliding, slots: 4, one event a key", (items) =>
    items
      .window(sliding({ sizeMs: FOR_LONG_MS }))
      .aggregate(four)
      .toResults(),
  ),
  caseOf("global, slots: 4", (items) =>
    items
      .window(global({ trigger: onUpdate() }))
      .aggregate(four)
      .toResults(),
  ),
  caseOf("process: a state of 13 bytes, for a time", (items) =>
    items
      .process({
        state: keyedState<{ n: number }>({ ttlMs: FOR_LONG_MS }),
        onEvent: ({ n }, { state }) => state.set({ n: 1_000_000 + n }),
      })
      .toResults(),
  ),
  caseOf("process: a timer", (items) =>
    items
      .process({
        onEvent: (_, { timers }) => timers.set(MOMENT_MS + FOR_LONG_MS),
        onTimer: () => undefined,
      })
      .toResults(),
  ),
  caseOf("correlate: an event of 13 bytes that waits", (items) =>
    items
      .map(({ n }) => ({ n: 1_000_000 + n }))
      .correlate({ withinMs: FOR_LONG_MS, all: { one: () => true, other: () => false } })
      .toResults(),
  ),
  caseOf("join: an event of 13 bytes that waits", (items) =>
    items
      .map(({ n }) => ({ n: 1_000_000 + n }))
      .join(
        stream({ ...source, topic: "others" }, options).keyBy(({ n }) => String(n)),
        { kind: "inner", beforeMs: FOR_LONG_MS, afterMs: FOR_LONG_MS, combine },
      )
      .toResults(),
  ),
  ids,
  tableRows,
];
