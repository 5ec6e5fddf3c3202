/**
 * What the engine is watched at work on: totals of keys for all time, so that each event has a result at once; and windows
 * that all close at once.
 */
import { forwardedTopic, lateTopic } from "../../contracts/topics.ts";
import type { Stream } from "../streams/events.ts";
import type { WindowCase } from "../streams/windows.ts";

/** Each key comes once in a million events. */
export const millionTotals: Stream = { topic: "bench-totals-events", keys: 1_000_000, order: "each" };
const tenThousandTotals: Stream = { topic: "bench-few-totals-events", keys: 10_000, order: "each" };

/** What {@link rowsHeld} says it reads; its events are made where they are needed, and Kafka has none. */
export const ROWS_TOPIC = "bench-rows-events";

const global = { kind: "global" } as const;

export const totals: WindowCase = {
  name: "bench-totals",
  title: "totals, 1 M keys",
  stream: millionTotals,
  window: global,
};

export const fewTotals: WindowCase = {
  name: "bench-few-totals",
  title: "totals, 10 k keys",
  stream: tenThousandTotals,
  window: global,
};

/** The same behind another stage, which sends each event on under its key. */
export const restagedTotals: WindowCase = {
  name: "bench-restaged",
  title: "totals, 10 k keys, behind a new key",
  stream: tenThousandTotals,
  window: global,
};

/** For what is measured again and again: nobody else adds to its events. */
export const settingsTotals: WindowCase = {
  name: "bench-settings",
  title: "totals, 10 k keys",
  stream: { ...tenThousandTotals, topic: "bench-settings-events" },
  window: global,
};

export const totalsCases: readonly WindowCase[] = [totals, fewTotals, settingsTotals];

/** Windows of so many keys that all close at once. */
export const closingCases: readonly WindowCase[] = [10_000, 100_000, 1_000_000].map((keys) => ({
  name: `bench-closing-${keys}`,
  title: `${keys.toLocaleString("en-US")} windows`,
  stream: { topic: `bench-closing-${keys}-events`, keys, order: "each" },
  window: { kind: "tumbling", sizeMs: 600_000 },
}));

/** What the stage before {@link restagedTotals} is called, behind the pipeline's name. */
export const NEW_KEY = "again";

/** Topics that the cases write to, beside those of their results. */
export const topicsBeside = [
  ...[...totalsCases, restagedTotals, ...closingCases].map(({ name }) => lateTopic(name)),
  forwardedTopic(`${restagedTotals.name}.${NEW_KEY}`),
];

/** A window that stays open, with a row for each of so many keys. */
export const rowsHeld = (rows: number, order: Stream["order"] = "each"): WindowCase => ({
  name: "bench-rows",
  title: `${rows.toLocaleString("en-US")} rows`,
  stream: { topic: ROWS_TOPIC, keys: rows, order },
  window: { kind: "tumbling", sizeMs: 600_000 },
});
