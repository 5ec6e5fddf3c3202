/** What is spilled of a topic that promises a budget may not be late for any pipeline that reads it. */
import { expect, test } from "vitest";
import { flightDeparted, pageViewed, telemetryReported } from "../../../../contracts/events/catalogue.ts";
import { topics } from "../../../../contracts/topics.ts";
import {
  count,
  type EventOf,
  events,
  global,
  HOUR_MS,
  type KeyedStream,
  MINUTE_MS,
  onUpdate,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  stream,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";

type View = EventOf<typeof pageViewed>;

const BUDGET_MS = topics.clickstream.spillBudgetMs!;
const size = { sizeMs: MINUTE_MS };
const late = (allowedLatenessMs: number) => ({ allowedLatenessMs });
const views = (outOfOrderMs = 0, dedupe?: { horizonMs: number }) =>
  pipeline("p").from(events(pageViewed), { outOfOrderMs, ...(dedupe && { dedupe }) });
const byUser = (outOfOrderMs?: number, dedupe?: { horizonMs: number }) =>
  views(outOfOrderMs, dedupe).keyBy(({ data }) => data.userId);
const counted = { views: count() };

const correlated = (outOfOrderMs: number) =>
  byUser(outOfOrderMs)
    .correlate({ withinMs: 2 * HOUR_MS, all: { first: isRoot, second: () => true } })
    .toResults();
const isRoot = ({ data }: View) => data.path === "/";

const joined = (outOfOrderMs: number) =>
  pipeline("p")
    .from(events(telemetryReported), { outOfOrderMs: 0 })
    .keyBy(({ data }) => data.deviceId)
    .join(
      stream(events(pageViewed), { outOfOrderMs }).keyBy(({ data }) => data.userId),
      {
        kind: "inner",
        beforeMs: 2 * HOUR_MS,
        afterMs: 2 * HOUR_MS,
        combine: () => ({}),
      },
    )
    .toResults();

const branched = (latenessMs: number) =>
  byUser()
    .branch({
      wide: (of: KeyedStream<View>) => of.window(tumbling(size), late(BUDGET_MS)).aggregate(counted),
      tight: (of: KeyedStream<View>) => of.window(tumbling(size), late(latenessMs)).aggregate(counted),
    })
    .toResults();

/** Each with what it says of itself, where that is `ms`. */
const waiting: readonly [string, (ms: number) => PipelineDefinition, RegExp][] = [
  [
    "fixed windows",
    (ms) => byUser().window(tumbling(size), late(ms)).aggregate(counted).toResults(),
    /^pipeline p: allowedLatenessMs of its fixed-windows p is 3599999,.* clickstream .* 3600000 ms later/,
  ],
  [
    "sessions",
    (ms) =>
      byUser()
        .window(session({ gapMs: HOUR_MS }), late(ms))
        .aggregate(counted)
        .toResults(),
    /allowedLatenessMs of its session-windows p is 3599999/,
  ],
  [
    "sliding windows behind a step",
    (ms) => byUser().filter(isRoot).window(sliding(size), late(ms)).aggregate(counted).toResults(),
    /allowedLatenessMs of its sliding-windows p is 3599999/,
  ],
  ["a branch", branched, /allowedLatenessMs of its fixed-windows p\.tight is 3599999/],
  [
    "the stage behind another key",
    (ms) =>
      views()
        .rekeyBy("by-path", ({ data }) => data.path)
        .window(tumbling(size), late(ms))
        .aggregate(counted)
        .toResults(),
    /^pipeline p: allowedLatenessMs of its fixed-windows p is 3599999/,
  ],
  [
    "a key that is spread",
    (ms) =>
      views()
        .spreadBy("parts", ({ data }) => data.path)
        .window(tumbling(size), late(ms))
        .aggregate(counted)
        .toResults(),
    /^pipeline p\.parts: allowedLatenessMs of its partials p\.parts is 3599999/,
  ],
  [
    "a correlation",
    correlated,
    /outOfOrderMs before its correlate p is 3599999,.* make outOfOrderMs at least 3600000/,
  ],
  ["a join", joined, /outOfOrderMs before its join p is 3599999/],
  [
    "ids that are remembered",
    (ms) =>
      byUser(0, { horizonMs: ms }).window(tumbling(size), late(BUDGET_MS)).aggregate(counted).toResults(),
    /dedupe\.horizonMs is 3599999/,
  ],
];

test.each(waiting)("%s must wait for as long as a topic's events may be spilled", (_, made, message) => {
  expect(() => made(BUDGET_MS - 1)).toThrow(message);
  expect(() => made(BUDGET_MS)).not.toThrow();
});

test("what nothing is late for needs no lateness", () => {
  const dedupe = { horizonMs: BUDGET_MS };
  expect(() =>
    byUser(0, dedupe)
      .window(global({ trigger: onUpdate() }))
      .aggregate(counted)
      .toResults(),
  ).not.toThrow();
});

test("a topic that promises nothing asks for nothing", () => {
  expect(topics.flights.spillBudgetMs).toBeUndefined();
  expect(() =>
    pipeline("p")
      .from(events(flightDeparted), { outOfOrderMs: 0 })
      .keyBy(({ data }) => data.origin)
      .window(tumbling(size))
      .aggregate(counted)
      .toResults(),
  ).not.toThrow();
});
