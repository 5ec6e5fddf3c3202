import { describe, expect, test } from "vitest";
import {
  everyCount,
  global,
  hopping,
  session,
  sliding,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { WindowDefinition } from "../../../../processors/engine/windows/window.ts";
import { watermark } from "../task-fixture.ts";
import { logFor } from "./window-fixture.ts";

const kinds: [string, WindowDefinition][] = [
  ["tumbling", tumbling({ sizeMs: 10 })],
  ["hopping", hopping({ sizeMs: 20, advanceMs: 10 })],
  ["sliding", sliding({ sizeMs: 10 })],
  ["session", session({ gapMs: 10 })],
  ["global", global({ trigger: everyCount(2) })],
];

describe.each(kinds)("the times of events in %s windows", (_name, window) => {
  test.each([-1e308, -8.64e15, 1e308])("%d is none: the window around it could not be told", (t) => {
    const log = logFor({ window }, [{ id: "a", t }, { id: "b", t: 5 }, watermark(2, 8.64e15)]);

    expect(log[0]).toContain("dead-letters");
    expect(log.slice(1).join()).toContain("b");
  });

  test("text is none", () => {
    const log = logFor({ window }, ['{"id":"a","key":"k","t":"5","v":1}', watermark(1, 8.64e15)]);

    expect(log).toEqual([expect.stringContaining("missing-time")]);
  });

  test("fractions of a millisecond are cut off", () => {
    const exact = logFor({ window }, [{ id: "a", t: -6 }, { id: "b", t: 5 }, watermark(2, 8.64e15)]);
    const finer = logFor({ window }, [{ id: "a", t: -5.5 }, { id: "b", t: 5.9 }, watermark(2, 8.64e15)]);

    expect(finer).toEqual(exact);
  });
});
