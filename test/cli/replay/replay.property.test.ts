/** Whatever the batches, slices, checkpoints and crashes: the same bytes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReplayOptions } from "../../../cli/replay/replay.ts";
import { regular, seeded } from "../../../cli/replay/schedule.ts";
import {
  count,
  everyCount,
  everyEventTimeMs,
  global,
  hopping,
  max,
  mean,
  onClose,
  onUpdate,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  sum,
  tumbling,
  type WindowOptions,
} from "../../../processors/engine/pipeline/dsl.ts";
import type { Trigger, WindowDefinition } from "../../../processors/engine/windows/window.ts";
import type { Reading } from "../../processors/engine/task-fixture.ts";
import { runReplay } from "./run-replay.ts";

interface Plan {
  readonly window: WindowDefinition;
  readonly options: WindowOptions;
  readonly outOfOrderMs: number;
  readonly dedupe: false | { readonly horizonMs: number };
  readonly shape: "plain" | "branches" | "re-keyed";
}

const offsetMs = fc.integer({ min: -5, max: 5 });
const sizeMs = fc.integer({ min: 1, max: 30 });
const panes = fc.constantFrom("accumulating" as const, "discarding" as const);
const emitted = fc.record({
  allowedLatenessMs: fc.constantFrom(0, 7, 40),
  emit: fc.constantFrom(onClose(), onUpdate(), everyEventTimeMs(9)),
  panes,
});
const triggers: Trigger[] = [everyCount(3), { kind: "every", everyMs: 10 }, { kind: "on-update" }];
const windows: fc.Arbitrary<Pick<Plan, "window" | "options">> = fc.oneof(
  fc.record({ window: fc.record({ sizeMs, offsetMs }).map(tumbling), options: emitted }),
  fc.record({
    window: fc
      .record({ sizeMs, offsetMs, advanceMs: fc.integer({ min: 1, max: 30 }) })
      .map((each) => hopping({ ...each, advanceMs: Math.min(each.advanceMs, each.sizeMs) })),
    options: emitted,
  }),
  fc.record({ window: fc.record({ gapMs: fc.integer({ min: 1, max: 12 }) }).map(session), options: emitted }),
  fc.record({
    window: fc.record({ sizeMs }).map(sliding),
    options: fc.record({ allowedLatenessMs: fc.constantFrom(0, 7) }),
  }),
  fc.record({
    window: fc.record({ trigger: fc.constantFrom(...triggers) }).map(global),
    options: fc.record({ panes }),
  }),
);
const plans: fc.Arbitrary<Plan> = fc
  .record({
    windowed: windows,
    outOfOrderMs: fc.constantFrom(0, 6, 50),
    dedupe: fc.constantFrom(false as const, { horizonMs: 20 }, { horizonMs: 200 }),
    shape: fc.constantFrom("plain" as const, "branches" as const, "re-keyed" as const),
  })
  .map(({ windowed, ...rest }) => ({ ...windowed, ...rest }));

function pipelineOf({ window, options, outOfOrderMs, dedupe, shape }: Plan): PipelineDefinition {
  const stream = pipeline("drawn")
    .from<Reading>(
      {
        topic: "drawn",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: ({ t }) => t,
        identity: ({ id }) => id,
      },
      { outOfOrderMs, dedupe },
    )
    .filter(({ v }) => v !== 13);
  const fields = {
    n: count<Reading>(),
    total: sum<Reading>(({ v }) => v),
    mean: mean<Reading>(({ v }) => v / 7),
    most: max<Reading>(({ v, key }) => (key === "bad" && v > 8 ? Number.NaN : v)),
  };
  const keyed =
    shape === "re-keyed"
      ? stream.rekeyBy("value", ({ v }) => `v${v % 4}`, { partitions: 2 })
      : stream.keyBy(({ key }) => key);
  if (shape !== "branches") return keyed.window(window, options).aggregate(fields).toResults();
  return keyed
    .branch({
      drawn: (branch) => branch.window(window, options).aggregate(fields),
      fixed: (branch) =>
        branch
          .filter(({ v }) => v > 5)
          .window(tumbling({ sizeMs: 10 }))
          .aggregate({ n: count() }),
    })
    .toResults();
}

/** Time goes on from line to line, in steps that are now and then undone or repeated. */
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      key: fc.constantFrom("a", "b", "c", "d", "bad", "__proto__"),
      stepMs: fc.integer({ min: 0, max: 6 }),
      delayMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 70 })),
      v: fc.integer({ min: 0, max: 15 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ again: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.integer({ min: -20, max: 200 }).map((ms) => `{"$watermark":${ms}}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("no JSON", "", "null", '{"id":"x","key":"a"}', '{"id":"y","t":5,"v":1}'),
  },
);

const files = fc
  .tuple(fc.array(step, { maxLength: 80 }), fc.constantFrom("\n", "\r\n", ""))
  .map(([steps, end]) => {
    const lines: string[] = [];
    let nowMs = -40;
    for (const each of steps) {
      if (typeof each === "string") lines.push(each);
      else if ("again" in each) lines.push(lines.at(-each.again) ?? "");
      else {
        const { key, stepMs, delayMs, v } = each;
        nowMs += stepMs;
        lines.push(JSON.stringify({ id: `e${lines.length}`, key, t: nowMs - delayMs, v }));
      }
    }
    return lines.join("\n") + end;
  });

const disturbances: fc.Arbitrary<Partial<ReplayOptions>> = fc.record({
  checkpointEvery: fc.integer({ min: 1, max: 90 }),
  crashEvery: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  schedule: fc
    .tuple(fc.integer({ min: 1, max: 30 }), fc.option(fc.nat()))
    .map(([batch, seed]) => (seed === null ? regular(batch) : seeded(batch, seed))),
});

describe("a replay writes the same bytes", () => {
  test.each([1, 2, 5])("whatever is done to it, with %i partitions", async (partitions) => {
    await fc.assert(
      fc.asyncProperty(plans, files, disturbances, async (plan, drawn, disturbance) => {
        const definition = pipelineOf(plan);
        const calm = await runReplay(definition, { drawn }, { partitions });
        const disturbed = await runReplay(definition, { drawn }, { partitions, ...disturbance });

        expect(disturbed.text).toBe(calm.text);
        expect(disturbed.summary.stages).toEqual(calm.summary.stages);
        expect(disturbed.summary).toMatchObject({
          lines: calm.summary.lines,
          emptyLines: calm.summary.emptyLines,
          watermarks: calm.summary.watermarks,
        });
      }),
      { numRuns: 250 },
    );
  });
});
