/** Definitions that no types checked: every setting of every step, with values that it cannot have. */
import { describe, expect, test } from "vitest";
import {
  count,
  everyCount,
  everyEventTimeMs,
  global,
  hopping,
  type KeyedStream,
  keyedState,
  onUpdate,
  PipelineError,
  pipeline,
  session,
  sliding,
  stream,
  Type,
  table,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { sourceOf, TOPIC } from "./pipelines.ts";

/** A value that the types would not let through. */
type Any = never;
type Windowed = KeyedStream<{ readonly key: string }>;

const n = { n: count() };
const combine = () => ({});
const source = sourceOf(TOPIC);
const options = { outOfOrderMs: 0, dedupe: false } as const;
const start = () => pipeline("p").from(source, options);
const keyed = () => start().keyBy(({ key }) => key);
const right = () => stream(sourceOf("right"), options).keyBy(({ key }) => key);
const matchers = { a: () => true, b: () => true };

/** Milliseconds that are none, whatever they are of. */
const noDurations: readonly unknown[] = [
  -1,
  Number.NaN,
  1.5,
  1e308,
  Number.POSITIVE_INFINITY,
  "60000",
  null,
  {},
  [],
  true,
  10n,
  Symbol("s"),
  () => 1,
];
const noPositive = [...noDurations, 0];
const noCounts = [...noPositive];
const noFunctions: readonly unknown[] = [undefined, null, 5, "text", {}, []];
const noNames: readonly unknown[] = [
  "",
  "Upper",
  "two words",
  "-a",
  "a".repeat(65),
  "__proto__",
  null,
  5,
  {},
  undefined,
  Symbol("s"),
];
/** Names that Kafka gives no topic. */
const noTopics: readonly unknown[] = [
  undefined,
  null,
  "",
  5,
  {},
  "a b/ü",
  "a b",
  "a/b",
  "ü",
  "a\n",
  ".",
  "..",
  "a".repeat(250),
];
const noChoices: readonly unknown[] = ["other", null, 5, {}, []];

/** What sets it, the name that the message must have, and values. */
type Setting = readonly [name: string, values: readonly unknown[], set: (value: Any) => unknown];

const settings: readonly Setting[] = [
  ["pipeline name", noNames, (value) => pipeline(value)],
  ["service", noNames.slice(0, -2), (service) => pipeline("p", { service })],
  [
    "maxEntriesPerTask",
    [...noCounts, 16_000_001],
    (maxEntriesPerTask) => pipeline("p", { maxEntriesPerTask }),
  ],
  ["maxIdsPerTask", [...noCounts, 1e10], (maxIdsPerTask) => pipeline("p", { maxIdsPerTask })],
  [
    "maxBacklogRecordsPerTask",
    noCounts,
    (maxBacklogRecordsPerTask) => pipeline("p", { maxBacklogRecordsPerTask }),
  ],
  ["startAt", [null, 5, "noon", Symbol("s"), true], (startAt) => pipeline("p", { startAt })],
  [
    "startAt.eventTimeMs",
    [1.5, Number.NaN, "1", null],
    (eventTimeMs) => pipeline("p", { startAt: { eventTimeMs } }),
  ],
  [
    "startAt.offsets",
    [{}, { 0: -1 }, { a: 1 }, { 0: 1.5 }, null, undefined, 5],
    (offsets) => pipeline("p", { startAt: { offsets } }),
  ],
  ["startAt.savepoint", noNames, (savepoint) => pipeline("p", { startAt: { savepoint, of: "q" } })],
  ["source.topic", noTopics, (topic) => pipeline("p").from({ ...source, topic }, options)],
  ["source.topic", noTopics, (topic) => stream({ ...source, topic }, options)],
  ["source.decode", noFunctions, (decode) => pipeline("p").from({ ...source, decode }, options)],
  ["source.time", noFunctions, (time) => pipeline("p").from({ ...source, time }, options)],
  [
    "source.identity",
    noFunctions.slice(1),
    (identity) => pipeline("p").from({ ...source, identity }, options),
  ],
  [
    "source.futureBoundMs",
    noDurations.slice(0, -1),
    (futureBoundMs) => pipeline("p").from({ ...source, futureBoundMs }, options),
  ],
  [
    "outOfOrderMs",
    [...noDurations, undefined],
    (outOfOrderMs) => pipeline("p").from(source, { outOfOrderMs }),
  ],
  [
    "idleTimeoutMs",
    noPositive.filter((value) => value !== null),
    (idleTimeoutMs) => pipeline("p").from(source, { ...options, idleTimeoutMs }),
  ],
  [
    "dedupe.horizonMs",
    [...noPositive, undefined],
    (horizonMs) => pipeline("p").from(source, { outOfOrderMs: 0, dedupe: { horizonMs } }),
  ],
  [
    "dedupe.horizonMs",
    [true, null, 5, "yes", {}],
    (dedupe) => pipeline("p").from(source, { outOfOrderMs: 0, dedupe }),
  ],
  ["filter", noFunctions, (code) => start().filter(code)],
  ["map", noFunctions, (code) => start().map(code)],
  ["flatMap", noFunctions, (code) => start().flatMap(code)],
  ["keyBy", noFunctions, (code) => start().keyBy(code)],
  ["filter", noFunctions, (code) => keyed().filter(code)],
  ["map", noFunctions, (code) => keyed().map(code)],
  ["flatMap", noFunctions, (code) => keyed().flatMap(code)],
  ["filter", noFunctions, (code) => stream(source, options).filter(code)],
  ["map", noFunctions, (code) => stream(source, options).map(code)],
  ["flatMap", noFunctions, (code) => stream(source, options).flatMap(code)],
  ["keyBy", noFunctions, (code) => stream(source, options).keyBy(code)],
  ["the name of the new key", noNames, (name) => start().rekeyBy(name, () => "k")],
  ["rekeyBy", noFunctions, (code) => start().rekeyBy("n", code)],
  [
    "partitions",
    noCounts.filter((value) => value !== null),
    (partitions) => start().rekeyBy("n", () => "k", { partitions }),
  ],
  ["spreadBy", noFunctions, (code) => start().spreadBy("n", code)],
  [
    "partitions",
    noCounts.filter((value) => value !== null),
    (partitions) => start().spreadBy("n", () => "k", { partitions }),
  ],
  ["lookup", noFunctions, (code) => keyed().lookup(table({ topic: "t", decode: () => 1 }), code)],
  ["table.topic", noTopics, (topic) => keyed().lookup(table({ topic, decode: () => 1 }), () => 1)],
  ["table.decode", noFunctions, (decode) => keyed().lookup(table({ topic: "t", decode }), () => 1)],
  ["window", [undefined, null, 5, {}, { kind: "other" }], (window) => keyed().window(window)],
  ["window.sizeMs", noPositive, (sizeMs) => keyed().window(tumbling({ sizeMs }))],
  ["window.sizeMs", noPositive, (sizeMs) => keyed().window(hopping({ sizeMs, advanceMs: 1 }))],
  ["window.advanceMs", noPositive, (advanceMs) => keyed().window(hopping({ sizeMs: 10, advanceMs }))],
  ["window.offsetMs", noDurations.slice(1), (offsetMs) => keyed().window(tumbling({ sizeMs: 10, offsetMs }))],
  ["window.sizeMs", noPositive, (sizeMs) => keyed().window(sliding({ sizeMs }))],
  ["window.gapMs", noPositive, (gapMs) => keyed().window(session({ gapMs }))],
  ["window.trigger.count", noCounts, (value) => keyed().window(global({ trigger: everyCount(value) }))],
  [
    "window.trigger.everyMs",
    noPositive,
    (value) => keyed().window(global({ trigger: everyEventTimeMs(value) })),
  ],
  ["trigger", [undefined, null, {}, { kind: "other" }, 5], (trigger) => keyed().window(global({ trigger }))],
  [
    "allowedLatenessMs",
    noDurations,
    (allowedLatenessMs) => keyed().window(tumbling({ sizeMs: 10 }), { allowedLatenessMs }),
  ],
  ["emit.kind", noChoices.slice(0, -1), (emit) => keyed().window(tumbling({ sizeMs: 10 }), { emit })],
  [
    "emit.everyMs",
    noPositive,
    (value) => keyed().window(tumbling({ sizeMs: 10 }), { emit: everyEventTimeMs(value) }),
  ],
  ["panes", noChoices, (panes) => keyed().window(tumbling({ sizeMs: 10 }), { panes })],
  ["emit", [onUpdate()], (emit) => keyed().window(sliding({ sizeMs: 10 }), { emit })],
  [
    "aggregate n",
    noFunctions,
    (value) =>
      keyed()
        .window(tumbling({ sizeMs: 10 }))
        .aggregate({ n: value }),
  ],
  [
    "aggregate()",
    [{}],
    (value) =>
      keyed()
        .window(tumbling({ sizeMs: 10 }))
        .aggregate(value),
  ],
  [
    "field",
    ["a b", "", "1a", "_a", "a".repeat(65)],
    (name) =>
      keyed()
        .window(tumbling({ sizeMs: 10 }))
        .aggregate({ [name]: n.n }),
  ],
  ["onEvent", noFunctions, (onEvent) => keyed().process({ onEvent })],
  ["onTimer", noFunctions.slice(1), (onTimer) => keyed().process({ onEvent: () => undefined, onTimer })],
  [
    "state.ttlMs",
    noPositive.filter((value) => value !== null),
    (ttlMs) => keyed().process({ state: keyedState<number>({ ttlMs }), onEvent: () => undefined }),
  ],
  [
    "correlate.withinMs",
    [...noPositive, undefined],
    (withinMs) => keyed().correlate({ withinMs, all: matchers }),
  ],
  [
    "correlate.all.a",
    [undefined, null, 5, "text", {}, { type: 5 }],
    (a) => keyed().correlate({ withinMs: 1, all: { ...matchers, a } }),
  ],
  [
    "correlate.all",
    [{ a: () => true }, Object.fromEntries("abcdef".split("").map((name) => [name, () => true]))],
    (all) => keyed().correlate({ withinMs: 1, all }),
  ],
  [
    "correlate.where",
    noFunctions.slice(1),
    (where) => keyed().correlate({ withinMs: 1, all: matchers, where }),
  ],
  [
    "correlate.combine",
    noFunctions.slice(1),
    (code) => keyed().correlate({ withinMs: 1, all: matchers, combine: code }),
  ],
  [
    "correlate.onMissing",
    noChoices,
    (onMissing) => keyed().correlate({ withinMs: 1, all: matchers, onMissing }),
  ],
  [
    "join.kind",
    [...noChoices, undefined, "outer"],
    (kind) => keyed().join(right(), { kind, beforeMs: 0, afterMs: 0, combine }),
  ],
  [
    "join.beforeMs",
    [...noDurations, undefined],
    (beforeMs) => keyed().join(right(), { kind: "inner", beforeMs, afterMs: 0, combine }),
  ],
  [
    "join.afterMs",
    [...noDurations, undefined],
    (afterMs) => keyed().join(right(), { kind: "inner", beforeMs: 0, afterMs, combine }),
  ],
  [
    "join.combine",
    noFunctions,
    (code) => keyed().join(right(), { kind: "inner", beforeMs: 0, afterMs: 0, combine: code }),
  ],
  [
    "branch",
    noNames.slice(0, 5),
    (name) => keyed().branch({ [name]: (items) => items.window(tumbling({ sizeMs: 1 })).aggregate(n) }),
  ],
];

const noSchemas: readonly unknown[] = [
  ...noFunctions,
  Type.Number(),
  Type.Array(Type.Number()),
  { type: "object" },
  { type: "object", properties: null },
  { type: "object", properties: {}, required: "n" },
];
const counted = (items: Windowed) => items.window(tumbling({ sizeMs: 10 })).aggregate(n);
const closed = { additionalProperties: false };

const resultSchemas: readonly Setting[] = [
  ["pipeline p: the schema of its results", noSchemas, (schema) => counted(keyed()).schema(schema)],
  [
    "pipeline p: the schema of its results",
    noSchemas.slice(1),
    (results) => keyed().process({ results, onEvent: () => undefined }),
  ],
  [
    'pipeline p: the schema requires the field "m", which no aggregate makes; aggregate() makes n',
    [Type.Object({ n: Type.Integer(), m: Type.Integer() }), Type.Object({ m: Type.Integer() }, closed)],
    (schema) => counted(keyed()).schema(schema),
  ],
  [
    'pipeline p: aggregate() makes the field "n", which the schema does not know',
    [Type.Object({}, closed), Type.Object({ m: Type.Optional(Type.Integer()) }, closed)],
    (schema) => counted(keyed()).schema(schema),
  ],
  [
    'pipeline p, branch near.by: the schema requires the field "m"',
    [Type.Object({ m: Type.Integer() })],
    (schema) => keyed().branch({ near: (near) => near.branch({ by: (by) => counted(by).schema(schema) }) }),
  ],
  [
    'pipeline p: the schema requires the field "m"',
    [Type.Object({ m: Type.Integer() })],
    (schema) => keyed().branch({ main: (main) => counted(main.map((item) => item)).schema(schema) }),
  ],
  [
    'pipeline p: the schema requires the field "m"',
    [Type.Object({ m: Type.Integer() })],
    (schema) =>
      start()
        .spreadBy("s", ({ key }) => key)
        .window(tumbling({ sizeMs: 10 }))
        .aggregate(n)
        .schema(schema),
  ],
];

const label = (value: unknown) =>
  typeof value === "symbol"
    ? String(value)
    : (JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? String(value));

describe.each([...settings, ...resultSchemas].map(([name, values, set]) => ({ name, values, set })))(
  "$name",
  ({ name, values, set }) => {
    test.each(values.map((value) => [label(value), value] as const))("cannot be %s", (_, value) => {
      let thrown: unknown;
      try {
        set(value as Any);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(PipelineError);
      expect((thrown as Error).message).toContain(name);
    });
  },
);

test("a schema may leave fields out, unless it says that there are no others, and have some that nothing makes", () => {
  const made = { n: Type.Integer(), m: Type.Optional(Type.Integer()) };

  expect(() => counted(keyed()).schema(Type.Object({}))).not.toThrow();
  expect(() => counted(keyed()).schema(Type.Object(made, closed))).not.toThrow();
});

test("durations may be as long as half of what a date can hold", () => {
  const sizeMs = 4.32e15;
  expect(() =>
    keyed()
      .window(tumbling({ sizeMs, offsetMs: -sizeMs }), { allowedLatenessMs: sizeMs })
      .aggregate(n)
      .toResults(),
  ).not.toThrow();
});

test.each(["a", "Meter.Readings_2-x", "...", "a".repeat(249)])("a topic may be called %s", (topic) => {
  expect(() => pipeline("p").from({ ...source, topic }, options)).not.toThrow();
});
