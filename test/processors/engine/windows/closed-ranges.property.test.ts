/** What the query function takes for proof that a range is closed holds for whatever comes after it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClosed, type ServedSeries } from "../../../../contracts/served-series.ts";
import {
  count,
  hopping,
  onUpdate,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  tumbling,
  type WindowDefinition,
  type WindowOptions,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";

interface Event {
  readonly id: string;
  readonly key: string;
  readonly timeMs: number;
}

const source = {
  topic: "events",
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Event,
  time: ({ timeMs }: Event) => timeMs,
  identity: ({ id }: Event) => id,
};

const counting = (window: WindowDefinition, options: WindowOptions = {}): PipelineDefinition =>
  pipeline("counts")
    .from(source, { outOfOrderMs: 5, dedupe: false })
    .keyBy(({ key }) => key)
    .window(window, options as never)
    .aggregate({ events: count() })
    .toResults();

const closedAfterMs = ({ operators }: PipelineDefinition) => operators[0]!.closedAfterMs;

const windows = fc.record({
  sizeMs: fc.constantFrom(10, 20),
  advanceMs: fc.constantFrom(5, 10),
  allowedLatenessMs: fc.constantFrom(0, 7),
});
const arrivals = fc.array(
  fc.record({ key: fc.constantFrom("a", "b", "c"), timeMs: fc.integer({ min: 0, max: 120 }) }),
  { minLength: 1, maxLength: 60 },
);

describe("a range that a result proves closed", () => {
  it("sees no further result, of any key of the partition", () => {
    let proven = 0;
    fc.assert(
      fc.property(windows, arrivals, ({ sizeMs, advanceMs, allowedLatenessMs }, events) => {
        const definition = counting(hopping({ sizeMs, advanceMs }), { allowedLatenessMs });
        const series: ServedSeries = {
          name: "counts",
          access: "private",
          notify: false,
          partitions: 1,
          closedAfterMs: closedAfterMs(definition)!,
        };
        const driver = new TestDriver(definition);
        driver.feed(...events.map((event, id) => ({ value: { ...event, id: String(id) } })));
        driver.flush();
        let endMs = Number.NEGATIVE_INFINITY;
        for (const { window } of driver.results) {
          // The shortest range that holds this window: had it been closed, its result would have come too late.
          expect(isClosed(series, { generation: 1, endMs }, window.start + 1)).toBe(false);
          endMs = Math.max(endMs, window.end);
          if (isClosed(series, { generation: 1, endMs }, 1)) proven += 1;
        }
      }),
    );
    expect(proven).toBeGreaterThan(0);
  });
});

describe("how long after its start a window is proven closed", () => {
  it("is its size and its lateness, and a millisecond", () => {
    expect(closedAfterMs(counting(tumbling({ sizeMs: 60 })))).toBe(61);
    expect(closedAfterMs(counting(hopping({ sizeMs: 60, advanceMs: 20 }), { allowedLatenessMs: 5 }))).toBe(
      66,
    );
  });

  it("is not known behind steps that emit before the end, nor of windows without a size or an order", () => {
    expect(closedAfterMs(counting(tumbling({ sizeMs: 60 }), { emit: onUpdate() }))).toBeUndefined();
    expect(closedAfterMs(counting(session({ gapMs: 60 })))).toBeUndefined();
    expect(closedAfterMs(counting(sliding({ sizeMs: 60 })))).toBeUndefined();
  });

  it("is known behind steps after keyBy", () => {
    const definition = pipeline("counts")
      .from(source, { outOfOrderMs: 5 })
      .keyBy(({ key }) => key)
      .filter(({ timeMs }) => timeMs > 1)
      .window(tumbling({ sizeMs: 60 }))
      .aggregate({ events: count() })
      .toResults();
    expect(closedAfterMs(definition)).toBe(61);
  });
});
