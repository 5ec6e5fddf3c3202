import { describe, expect, it } from "vitest";
import { traceIdOf } from "../../contracts/traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

describe("a trace context", () => {
  it.each([
    ["of version 00", `00-${TRACE}-${PARENT}-01`],
    ["that is not sampled", `00-${TRACE}-${PARENT}-00`],
    ["of a later version", `cc-${TRACE}-${PARENT}-01`],
    ["of a later version that says more", `cc-${TRACE}-${PARENT}-01-what-comes-then`],
  ])("%s tells its trace id", (_, text) => {
    expect(traceIdOf(text)).toBe(TRACE);
  });

  it.each<[string, unknown]>([
    ["that is not there", undefined],
    ["that is a number", 1],
    ["that is empty", ""],
    ["of version ff", `ff-${TRACE}-${PARENT}-01`],
    ["of version 00 that says more", `00-${TRACE}-${PARENT}-01-more`],
    ["with capitals", `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ["of trace zero", `00-${"0".repeat(32)}-${PARENT}-01`],
    ["of parent zero", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["that is cut off", `00-${TRACE}-${PARENT}`],
    ["twice", `00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01`],
    ["beyond any length", `cc-${TRACE}-${PARENT}-01-${"x".repeat(1_000)}`],
  ])("%s is none", (_, text) => {
    expect(traceIdOf(text)).toBeUndefined();
  });
});
