import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withValue } from "../../../bench/streams/bundle.ts";

const root = join(import.meta.dirname, "../../..");

describe("a constant with another value", () => {
  it.each([
    ["const WAIT_MS = 100;", "const WAIT_MS = 7;"],
    ["const WAIT_MS = 1024 * 1024;", "const WAIT_MS = 7;"],
    ["const limits = { WAIT_MS: 1_000, other: 1 };", "const limits = { WAIT_MS: 7, other: 1 };"],
  ])("%s", (source, expected) => {
    expect(withValue(source, "WAIT_MS", 7)).toBe(expected);
  });

  it.each([
    "const OTHER_WAIT_MS = 100;",
    "const WAIT_MS = OTHER;",
    "readonly WAIT_MS: number;",
    "WAIT_MS: 1, WAIT_MS: 2,",
  ])("is refused where there is none, or more than one: %s", (source) => {
    expect(() => withValue(source, "WAIT_MS", 7)).toThrow(/WAIT_MS/);
  });

  it("is there under the name that the benchmark of settings has for it", async () => {
    const { settings } = await import("../../../bench/operation/defaults.ts");
    for (const { file, name, present } of settings) {
      const source = readFileSync(join(root, file), "utf8");
      expect(withValue(source, name, present + 1)).toContain(String(present + 1));
    }
  });
});
