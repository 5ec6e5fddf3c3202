import { describe, expect, test } from "vitest";
import { decideFirstStep } from "../../../../processors/engine/checkpoint/decide.ts";
import { encodePointer } from "../../../../processors/engine/checkpoint/manifest.ts";
import type { Slot } from "../../../../processors/engine/checkpoint/store.ts";

const commit = (manifest: string, offset: number | null = 5) => ({
  topic: "in",
  partition: 2,
  offset,
  metadata: encodePointer({ manifest, sha256: "00" }),
});
const absent = { topic: "in", partition: 2, offset: null, metadata: "" };
const slot = (id: string, parent: string | null): Slot => ({ id, parent });

describe("the first step of an owner", () => {
  test.each([
    ["nothing registered, nothing committed", [absent], null, { kind: "genesis" }],
    [
      "genesis registered, never committed",
      [absent],
      slot("g", null),
      { kind: "roll-forward", manifest: "g" },
    ],
    [
      "the committed is the newest",
      [commit("b")],
      slot("b", "a"),
      { kind: "load", pointer: { manifest: "b", sha256: "00" } },
    ],
    [
      "a prepared child of the committed",
      [commit("b")],
      slot("c", "b"),
      { kind: "roll-forward", manifest: "c" },
    ],
    [
      "several inputs agree",
      [commit("b"), commit("b")],
      slot("b", "a"),
      { kind: "load", pointer: { manifest: "b", sha256: "00" } },
    ],
  ] as const)("%s", (_, committed, held, expected) => {
    expect(decideFirstStep(committed, held)).toEqual(expected);
  });

  test.each([
    ["no offset, but a later checkpoint", [absent], slot("b", "a"), "offset-absent"],
    ["one input without an offset", [commit("b"), absent], slot("b", "a"), "offset-absent"],
    ["a negative offset", [commit("b", -1)], slot("b", "a"), "offset-negative"],
    ["an offset without our metadata", [{ ...commit("b"), metadata: "" }], slot("b", "a"), "offset-foreign"],
    [
      "metadata that is somebody's JSON",
      [{ ...commit("b"), metadata: '{"f":9}' }],
      slot("b", "a"),
      "offset-foreign",
    ],
    ["inputs that name different checkpoints", [commit("b"), commit("c")], slot("b", "a"), "offset-foreign"],
    ["a stale checkpoint table", [commit("c")], slot("b", "a"), "unknown-checkpoint"],
    ["an emptied checkpoint table", [commit("c")], null, "unknown-checkpoint"],
  ] as const)("%s parks the task", (_, committed, held, code) => {
    expect(() => decideFirstStep(committed, held)).toThrow(
      expect.objectContaining({ name: "CheckpointError", code }),
    );
  });
});
