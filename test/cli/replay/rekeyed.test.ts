import { describe, expect, test } from "vitest";
import { seeded } from "../../../cli/replay/schedule.ts";
import type { PipelineDefinition } from "../../../processors/engine/pipeline/dsl.ts";
import { count, everyEventTimeMs, pipeline, sum, tumbling } from "../../../processors/engine/pipeline/dsl.ts";
import type { Reading } from "../../processors/engine/task-fixture.ts";
import { runReplay } from "./run-replay.ts";

const fileOf = (readings: readonly Partial<Reading>[]): string =>
  readings
    .map((reading, index) => `${JSON.stringify({ id: `e${index}`, key: "k", t: 0, v: 1, ...reading })}\n`)
    .join("");
const replayOf = (file: string, options: object, definition: PipelineDefinition) =>
  runReplay(definition, { "readings-in": file }, options);

describe("a pipeline that was re-keyed", () => {
  const rekeyed = pipeline("by-value")
    .from<Reading>(
      {
        topic: "readings-in",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: ({ t }) => t,
        identity: ({ id }) => id,
      },
      { outOfOrderMs: 15 },
    )
    .rekeyBy("value", ({ v }) => `v${v}`, { partitions: 3 })
    .window(tumbling({ sizeMs: 20 }))
    .aggregate({ n: count(), keys: sum(({ key }) => key.length) })
    .toResults();
  const file = fileOf(
    Array.from({ length: 2_500 }, (_, index) => ({
      key: `k${index % 5}`,
      t: index + ((index * 37) % 30),
      v: index % 7,
    })),
  );

  test("writes the same through whatever happens", async () => {
    const calm = await replayOf(file, { partitions: 2 }, rekeyed);
    expect(calm.summary.stages.map(({ name }) => name)).toEqual(["by-value.value", "by-value"]);
    expect(calm.output.length).toBeGreaterThan(800);

    for (const seed of [1, 2, 3]) {
      const options = { partitions: 2, crashEvery: 97, checkpointEvery: 150, schedule: seeded(60, seed) };
      expect((await replayOf(file, options, rekeyed)).text).toBe(calm.text);
    }
  });
});

test("a key given anew makes the results that the same key of the record makes", async () => {
  const stream = () =>
    pipeline("early").from<Reading>(
      {
        topic: "readings-in",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: ({ t }) => t,
      },
      { outOfOrderMs: 0, dedupe: false },
    );
  const results = async (keyed: ReturnType<ReturnType<typeof stream>["keyBy"]>) => {
    const definition = keyed
      .window(tumbling({ sizeMs: 100 }), { emit: everyEventTimeMs(20) })
      .aggregate({ n: count() })
      .toResults();
    const { output } = await replayOf(fileOf([5, 25, 45, 120, 50, 150].map((t) => ({ t }))), {}, definition);
    return output.map(({ kind, window, revision }) => `${kind} ${window?.start} ${revision}`);
  };

  expect(await results(stream().rekeyBy("key", ({ key }) => key))).toEqual([
    "result 0 1",
    "result 0 2",
    "result 100 1",
    "late undefined null",
    "result 100 2",
  ]);
  expect(await results(stream().keyBy(({ key }) => key))).toEqual(
    await results(stream().rekeyBy("key", ({ key }) => key)),
  );
});
