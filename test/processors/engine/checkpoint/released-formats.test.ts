/**
 * A rollback starts the previous release on what the new one wrote, and so does a rolling deployment, whose old tasks may
 * get a partition back. So nothing may be written that the release before cannot read: a format is read in one release
 * and written in the next (docs/checkpoint-format.md).
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodePointer, MANIFEST_FORMAT } from "../../../../processors/engine/checkpoint/manifest.ts";
import { encodeOutputs } from "../../../../processors/engine/checkpoint/outputs.ts";
import { encodeSavepoint } from "../../../../processors/engine/checkpoint/savepoint.ts";
import { encodeBase } from "../../../../processors/engine/state/snapshot.ts";
import { emptyState, schemasOf } from "../../../../processors/engine/state/task-state.ts";
import { pipelines } from "../../../../processors/pipelines/all.ts";
import { readings } from "../task-fixture.ts";

const { release, reads, readsSections } = JSON.parse(
  readFileSync(new URL("../fixtures/released-formats.json", import.meta.url), "utf8"),
) as { release: string; reads: Record<string, number>; readsSections: readonly string[] };

/** The number behind the magic text, `SPWS` and its like with its length before it. */
const formatBehindMagic = (bytes: Uint8Array): number => bytes[1 + bytes[0]!]!;

const written: Readonly<Record<string, () => number>> = {
  manifest: () => MANIFEST_FORMAT,
  snapshot: () => {
    const definition = readings({});
    return formatBehindMagic(encodeBase(definition, emptyState(definition, [0])));
  },
  outputs: () => formatBehindMagic(encodeOutputs([])),
  savepoint: () =>
    JSON.parse(new TextDecoder().decode(encodeSavepoint({} as Parameters<typeof encodeSavepoint>[0]))).format,
  pointer: () => JSON.parse(encodePointer({ manifest: "m", sha256: "h" })).f,
};

test.each(Object.entries(written))(
  "what is written as %s can be read by the release before",
  (what, format) => {
    const readable = reads[what];
    expect(readable, `fixtures/released-formats.json says nothing of ${what}`).toBeDefined();
    expect(
      format(),
      `Release ${release} reads ${what} up to format ${readable}. Release the reading of the new one first, enter it in ` +
        "fixtures/released-formats.json with that release's name, and write it in the one after.",
    ).toBeLessThanOrEqual(readable!);
  },
);

test.each(pipelines.map((definition) => [definition.name, definition] as const))(
  "the release before knows what %s keeps",
  (_, definition) => {
    for (const { name, kind } of schemasOf(definition)) {
      expect(readsSections, `Release ${release} has no section of kind ${kind}, which ${name} is`).toContain(
        kind,
      );
    }
  },
);
