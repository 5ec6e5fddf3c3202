import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../../processors/engine/state/bytes.ts";
import { UpstreamWatermarks } from "../../../../processors/engine/state/upstream-watermarks.ts";

const NEVER = Number.NEGATIVE_INFINITY;

type Heard = [watermarkMs: number, idle: boolean] | null;

/** Tasks in their order; null: not heard of yet. */
function heard(...tasks: Heard[]): UpstreamWatermarks {
  const upstream = new UpstreamWatermarks();
  for (const [task, said] of tasks.entries()) {
    if (said !== null) upstream.report(task, tasks.length, { watermarkMs: said[0], idle: said[1] });
  }
  return upstream;
}

test.each<[string, Heard[], number, boolean]>([
  ["nobody spoke", [], NEVER, false],
  ["one has not spoken yet", [[10, false], null, [30, false]], NEVER, false],
  ["one has not spoken yet and the others are idle", [[10, true], null], NEVER, false],
  [
    "the slowest holds back",
    [
      [30, false],
      [10, false],
      [20, false],
    ],
    10,
    false,
  ],
  [
    "an idle one does not",
    [
      [30, false],
      [10, true],
      [20, false],
    ],
    20,
    false,
  ],
  [
    "one that never had an event, and is idle, does not",
    [
      [30, false],
      [NEVER, true],
    ],
    30,
    false,
  ],
  [
    "one that never had an event, and is not, does",
    [
      [30, false],
      [NEVER, false],
    ],
    NEVER,
    false,
  ],
  [
    "all are idle: the slowest of those that had events",
    [
      [30, true],
      [NEVER, true],
      [20, true],
    ],
    20,
    true,
  ],
  ["all are idle and none had an event", [[NEVER, true]], NEVER, true],
])("%s", (_, tasks, watermarkMs, idle) => {
  const upstream = heard(...tasks);
  const writer = new ByteWriter();
  upstream.write(writer);
  const restored = new UpstreamWatermarks();
  restored.read(new ByteReader(writer.finish()));

  for (const one of [upstream, restored]) expect([one.watermarkMs, one.idle]).toEqual([watermarkMs, idle]);
});
