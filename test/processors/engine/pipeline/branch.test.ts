/** A branch's outputs are its own: two of one name would write the same rows, and a crash would take one's state. */
import { expect, test } from "vitest";
import {
  count,
  type KeyedStream,
  PipelineError,
  pipeline,
  stream,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";

interface Reading {
  readonly key: string;
  readonly at: number;
}

const readings = (topic: string) => ({
  topic,
  decode: (value: Uint8Array) => JSON.parse(Buffer.from(value).toString()) as Reading,
  time: ({ at }: Reading) => at,
});

const options = { outOfOrderMs: 0, dedupe: false } as const;
const keyed = () =>
  pipeline("meters")
    .from(readings("in"), options)
    .keyBy(({ key }) => key);
const counts = (readings: KeyedStream<Reading>) =>
  readings.window(tumbling({ sizeMs: 10 })).aggregate({ readings: count() });

test("a branch of a branch has the names of both", () => {
  const definition = keyed()
    .branch({
      near: (near) => near.branch({ main: counts, far: counts }),
      far: (far) => far.branch({ far: counts }),
      main: (main) => main.branch({ main: counts, other: counts }),
    })
    .toResults();
  const driver = new TestDriver(definition);

  driver.feed({ value: { key: "a", at: 1 } });
  driver.checkpoint();
  driver.crash();
  driver.flush();

  expect(driver.results.map(({ pipeline, value }) => [pipeline, value])).toEqual(
    ["meters.near", "meters.near.far", "meters.far.far", "meters", "meters.other"].map((series) => [
      series,
      { readings: 1 },
    ]),
  );
});

test.each([
  ["of the stream around it", () => keyed().branch({ near: () => counts(keyed()) }), "branch near"],
  [
    "of the stream that was split",
    () => {
      const around = keyed();
      return around.branch({ near: () => counts(around) });
    },
    "branch near",
  ],
  [
    "that another one has",
    () =>
      keyed()
        .branch({ near: counts, main: (main) => main.branch({ near: counts }) })
        .toResults(),
    "two outputs are called meters.near",
  ],
])("an output %s is refused", (_, make, message) => {
  expect(make).toThrow(PipelineError);
  expect(make).toThrow(message);
});

test("a join in the branch main is refused like in any other", () => {
  const others = stream(readings("others"), options).keyBy(({ key }) => key);
  const make = () =>
    keyed().branch({
      main: (main) => main.join(others, { kind: "inner", beforeMs: 1, afterMs: 1, combine: () => ({}) }),
    });

  expect(make).toThrow("cannot be in a branch");
});
