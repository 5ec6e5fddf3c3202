import { describe, expect, test } from "vitest";
import { seeded } from "../../../cli/replay/schedule.ts";
import { partitionOf } from "../../../contracts/partitioning.ts";
import type { PipelineDefinition } from "../../../processors/engine/pipeline/dsl.ts";
import {
  count,
  hopping,
  keyedState,
  pipeline,
  session,
  stream,
  sum,
  table,
  tumbling,
} from "../../../processors/engine/pipeline/dsl.ts";
import { type Reading, readings } from "../../processors/engine/task-fixture.ts";
import { runReplay } from "./run-replay.ts";

const lineOf = (reading: Partial<Reading>, index = 0): string =>
  JSON.stringify({ id: `e${index}`, key: "k", t: 0, v: 1, ...reading });
const fileOf = (readings: readonly Partial<Reading>[]): string =>
  readings.map((reading, index) => `${lineOf(reading, index)}\n`).join("");
const replayOf = (file: string | Buffer, options = {}, definition: PipelineDefinition = readings()) =>
  runReplay(definition, { "readings-in": file }, options);

describe("a line out", () => {
  test("is a result with its fields in order; the end of the input closes every window", async () => {
    const { text } = await replayOf(fileOf([{ t: 3, v: 20 }]));

    expect(text).toBe(
      '{"kind":"result","pipeline":"readings","key":"k","window":{"start":0,"end":10},' +
        '"value":{"n":1,"big":1,"total":20,"mean":20,"least":20,"most":20},"revision":1}\n',
    );
  });

  test("is a late or dead line as text", async () => {
    const late = lineOf({ id: "late", t: 3 });
    const { text } = await replayOf(`${lineOf({ t: 30 })}\n${late}\nno JSON "at" all\n`);

    expect(text.split("\n").slice(0, 2)).toEqual([
      `{"kind":"late","pipeline":"readings","key":null,"window":null,"value":${JSON.stringify(late)},"revision":null}`,
      '{"kind":"dead","pipeline":"readings","key":null,"window":null,"value":"no JSON \\"at\\" all","revision":null}',
    ]);
  });

  test("is a retraction, with the revision that it takes back", async () => {
    const definition = readings({ window: session({ gapMs: 5 }), allowedLatenessMs: 100 });
    const { output } = await replayOf(fileOf([{ t: 0 }, { t: 20 }, { t: 4 }]), {}, definition);

    expect(output.map(({ kind, window, revision }) => [kind, window, revision])).toEqual([
      ["result", { start: 0, end: 5 }, 1],
      ["retract", { start: 0, end: 5 }, 1],
      ["result", { start: 0, end: 9 }, 1],
      ["result", { start: 20, end: 25 }, 1],
    ]);
  });

  test("counts the emissions of its window", async () => {
    const definition = readings({ allowedLatenessMs: 100 });
    const { output } = await replayOf(fileOf([{ t: 3 }, { t: 12 }, { t: 4 }]), {}, definition);

    expect(output.map(({ window, revision }) => [window?.start, revision])).toEqual([
      [0, 1],
      [0, 2],
      [10, 1],
    ]);
  });

  test("holds bytes that are not UTF-8 as U+FFFD", async () => {
    const { output } = await replayOf(Buffer.from([0x61, 0xff, 0x62, 0x0a]));

    expect(output).toMatchObject([{ kind: "dead", value: "a\ufffdb" }]);
  });
});

describe("a line in", () => {
  test.each([
    ["ends at the end of the file too", `${lineOf({ t: 3 })}`, 1],
    ["does not end with a carriage return", `${lineOf({ t: 3 })}\r\n${lineOf({ t: 4 }, 1)}\r\n`, 2],
    ["is not an empty one", `\n${lineOf({ t: 3 })}\n\n\r\n${lineOf({ t: 4 }, 1)}\n\n`, 2],
  ])("%s", async (_name, file, n) => {
    const { output, summary } = await replayOf(file);

    expect(output).toMatchObject([{ kind: "result", value: { n } }]);
    expect(summary).toMatchObject({ lines: n });
  });

  test("of spaces is one, and dead", async () => {
    expect((await replayOf("  \n")).output).toMatchObject([{ kind: "dead", value: "  " }]);
  });

  test("may be larger than what is read at once, and keeps its bytes", async () => {
    const wide = lineOf({ id: "x".repeat(3_000_000), t: 50 });
    const { output } = await replayOf(`${lineOf({ t: 3 })}\n${wide}\n{${"y".repeat(1_500_000)}\n`);

    expect(output).toMatchObject([
      { kind: "result", window: { start: 0 } },
      { kind: "dead", value: `{${"y".repeat(1_500_000)}` },
      { kind: "result", window: { start: 50 } },
    ]);
  });

  test("with a key of 1 MB is dead, in whatever partition", async () => {
    const file = fileOf([{ t: 3 }, { key: "k".repeat(1_000_000), t: 4 }]);
    for (const partitions of [1, 3]) {
      const { output } = await replayOf(file, { partitions });
      expect(output.map(({ kind }) => kind)).toEqual(["dead", "result"]);
    }
  });

  test("may be of any time: a file has no arrivals, so nothing is too far ahead", async () => {
    const { output } = await replayOf(fileOf([{ t: Date.UTC(9_999, 0) }, { t: 1e308 }]));

    expect(output.map(({ kind }) => kind)).toEqual(["dead", "result"]);
  });

  test("is called by its own key, even if that is __proto__", async () => {
    const { output } = await replayOf(`{"id":"1","key":"__proto__","t":1,"v":2}\n`, { partitions: 4 });

    expect(output).toMatchObject([{ kind: "result", key: "__proto__", value: { total: 2 } }]);
  });
});

describe("a watermark line", () => {
  test("closes what lies before it, in every partition", async () => {
    const keys = ["a", "b", "c", "d", "e"];
    const file = `${keys.map((key, index) => lineOf({ key, t: 3 }, index)).join("\n")}
{"$watermark": 10}
${keys.map((key, index) => lineOf({ key, t: 4 }, 10 + index)).join("\n")}\n`;

    const { output, summary } = await replayOf(file, { partitions: 3 });

    expect(output.map(({ kind }) => kind)).toEqual([...keys.map(() => "result"), ...keys.map(() => "late")]);
    expect(summary).toMatchObject({ lines: 11, watermarks: 1 });
  });

  test.each([
    '{"$watermark":1.5}',
    '{"$watermark":"5"}',
    '{"$watermark":5,"t":5}',
    '{"$watermark":',
    '["$watermark"]',
  ])("is not %s", async (line) => {
    const { output, summary } = await replayOf(`${line}\n`);

    expect(output).toMatchObject([{ kind: "dead", value: line }]);
    expect(summary.watermarks).toBe(0);
  });

  test("may have spaces", async () => {
    expect((await replayOf(' \t{ "$watermark" : -5 } \n')).summary.watermarks).toBe(1);
  });
});

describe("an empty file", () => {
  test.each([1, 4])("has no output, with %i partitions", async (partitions) => {
    expect(await replayOf("", { partitions })).toMatchObject({ text: "", summary: { lines: 0 } });
  });
});

describe("partitions", () => {
  const keys = Array.from({ length: 9 }, (_, index) => `key-${index}`);
  const file = fileOf(
    Array.from({ length: 300 }, (_, index) => ({
      key: keys[(index * 7) % 9]!,
      t: index + ((index * 37) % 20),
      v: index,
    })),
  );

  test("make no difference to what is written where nothing is late", async () => {
    const definition = readings({ outOfOrderMs: 1_000, window: hopping({ sizeMs: 30, advanceMs: 10 }) });
    const [one, ...others] = await Promise.all(
      [1, 2, 5, 16].map(async (partitions) => {
        const { text } = await replayOf(file, { partitions }, definition);
        return text.split("\n").sort();
      }),
    );

    for (const other of others) expect(other).toEqual(one);
  });

  test("are written in the order of the lines, then of the partitions", async () => {
    const keyOf = (partition: number) => keys.find((key) => partitionOf(Buffer.from(key), 2) === partition)!;
    const [first, second] = [keyOf(0), keyOf(1)];
    const { output } = await replayOf(
      fileOf([
        { key: first, t: 3 },
        { key: second, t: 4 },
        { key: second, t: 15 },
        { key: first, t: 16 },
      ]),
      { partitions: 2 },
    );

    expect(output.map(({ key, window }) => [key, window?.start])).toEqual([
      [second, 0],
      [first, 0],
      [first, 10],
      [second, 10],
    ]);
  });
});

describe("a pipeline of several topics", () => {
  const source = (topic: string) => ({
    topic,
    decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Reading,
    time: ({ t }: Reading) => t,
    identity: ({ id }: Reading) => id,
  });
  const united = pipeline("united")
    .from<Reading>(source("a"), { outOfOrderMs: 0 })
    .union(stream<Reading>(source("b"), { outOfOrderMs: 0 }))
    .keyBy(({ key }) => key)
    .window(tumbling({ sizeMs: 10 }))
    .aggregate({ n: count() })
    .toResults();

  test("reads their files one after the other, and nothing is late for that", async () => {
    const a = fileOf(Array.from({ length: 100 }, (_, t) => ({ t })));
    const b = fileOf(Array.from({ length: 60 }, (_, t) => ({ t, id: `b${t}` })));
    const calm = await runReplay(united, { a, b });

    expect(calm.output.map(({ kind, value }) => [kind, value])).toEqual([
      ...Array.from({ length: 6 }, () => ["result", { n: 20 }]),
      ...Array.from({ length: 4 }, () => ["result", { n: 10 }]),
    ]);
    const options = { crashEvery: 7, checkpointEvery: 9, schedule: seeded(5, 1) };
    expect((await runReplay(united, { a, b }, options)).text).toBe(calm.text);
  });
});

describe("a pipeline with a table", () => {
  const source = {
    topic: "readings-in",
    decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Reading,
    time: ({ t }: Reading) => t,
    identity: ({ id }: Reading) => id,
  };
  const weights = table<{ factor: number }>({
    topic: "weights",
    decode: (value) => JSON.parse(new TextDecoder().decode(value)) as { factor: number },
  });
  const weighed = pipeline("weighed")
    .from<Reading>(source, { outOfOrderMs: 0 })
    .keyBy(({ key }) => key)
    .lookup(weights, ({ v }, row) => v * (row?.factor ?? 1))
    .window(tumbling({ sizeMs: 10 }))
    .aggregate({ total: sum((weight) => weight) })
    .toResults();
  const rows = `{"key":"a","value":{"factor":2}}
{"key":"b","value":{"factor":3}}
{"key":"a","value":{"factor":10}}
{"value":{"factor":3}}
{"$watermark":5}
{"key":"b","value":null}
{"key":"c","value":{"factor":7}}\n`;
  const events = fileOf(["a", "b", "c", "d"].map((key, t) => ({ key, t, v: 5 })));

  test("reads its table first; its rows have keys of their own, and may be removed", async () => {
    const files = { weights: rows, "readings-in": events };
    const calm = await runReplay(weighed, files, { partitions: 3 });

    const totals = calm.output.flatMap(({ key, value }) =>
      key === null ? [] : [[key, (value as { total: number }).total]],
    );
    expect(totals.sort()).toEqual([
      ["a", 50],
      ["b", 5],
      ["c", 35],
      ["d", 5],
    ]);
    expect(calm.output.filter(({ kind }) => kind === "dead").map(({ value }) => value)).toEqual([
      '{"value":{"factor":3}}',
      '{"$watermark":5}',
    ]);
    const options = { partitions: 3, crashEvery: 1, checkpointEvery: 3, schedule: seeded(4, 2) };
    expect((await runReplay(weighed, files, options)).text).toBe(calm.text);
  });
});

/** Steps that keep something else than windows; each has tests of its own, and here the same crashes as the others. */
describe("whatever a pipeline keeps, the same is written through crashes", () => {
  const from = () =>
    pipeline("kept").from<Reading>(
      {
        topic: "readings-in",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: ({ t }) => t,
        identity: ({ id }) => id,
      },
      { outOfOrderMs: 20 },
    );
  const processed = from()
    .keyBy(({ key }) => key)
    .process({
      state: keyedState<{ n: number }>({ ttlMs: 50 }),
      onEvent: (_, { state, timers, timeMs }) => {
        state.set({ n: (state.get()?.n ?? 0) + 1 });
        timers.set(timeMs + 9);
        return undefined;
      },
      onTimer: (_, { state, emit }) => emit({ n: state.get()?.n ?? 0 }),
    })
    .toResults();
  const correlated = from()
    .keyBy(({ key }) => key)
    .correlate({ withinMs: 12, all: { low: ({ v }) => v < 3, high: ({ v }) => v >= 3 } })
    .toResults();
  const spread = from()
    .spreadBy("value", ({ v }) => `v${v}`, { partitions: 2 })
    .window(tumbling({ sizeMs: 15 }))
    .aggregate({ n: count(), total: sum(({ key }) => key.length) })
    .toResults();
  const file = fileOf(
    Array.from({ length: 2_200 }, (_, index) => ({
      key: `k${(index * 13) % 7}`,
      t: index + ((index * 37) % 45),
      v: (index * 11) % 6,
    })),
  );

  test.each([
    ["process", processed],
    ["correlate", correlated],
    ["spread", spread],
  ])("%s", async (_name, definition) => {
    const calm = await replayOf(file, { partitions: 3 }, definition);
    expect(calm.output.length).toBeGreaterThan(100);

    for (const seed of [1, 2]) {
      const options = { partitions: 3, crashEvery: 71, checkpointEvery: 110, schedule: seeded(40, seed) };
      expect((await replayOf(file, options, definition)).text).toBe(calm.text);
    }
  });
});
