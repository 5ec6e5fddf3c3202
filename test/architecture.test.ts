import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { violations } from "./architecture/arrows.ts";
import { readModule } from "./architecture/imports.ts";

const MAX_LINES = 400;

const root = fileURLToPath(new URL("..", import.meta.url));

/** Tracked and new files, but not ignored ones and not those deleted and still tracked. */
const paths = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"],
  {
    cwd: root,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter((path) => path !== "" && existsSync(`${root}${path}`));

const sources = paths
  .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes("/fixtures/"))
  .map((path) => ({ path, text: readFileSync(`${root}${path}`, "utf8") }));

const modules = sources.map(({ path, text }) => readModule(path, text));

describe("architecture", () => {
  test("imports follow the arrows of docs/design.md, section 3", () => {
    expect(modules.length).toBeGreaterThan(0);
    expect(violations(modules)).toEqual([]);
  });

  test("there is no utils, no common", () => {
    expect(paths.filter((path) => /(^|[-./])(utils?|common)([-./]|$)/.test(path))).toEqual([]);
  });

  test("there is no barrel file", () => {
    const barrels = modules.filter(
      ({ path, isBarrel }) => isBarrel || /^index\.(ts|mjs)$/.test(basename(path)),
    );

    expect(barrels.map(({ path }) => path)).toEqual([]);
  });

  test(`no module has more than ${MAX_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.trimEnd().split("\n").length > MAX_LINES);

    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe("a forbidden import is caught", () => {
  test.each([
    ["contracts/a.ts", 'import { a } from "../runtime/a.ts";'],
    ["contracts/a.ts", 'import { readFileSync } from "node:fs";'],
    ["runtime/a.ts", 'export { a } from "../lambdas/ingest/a.ts";'],
    ["lambdas/sink/a.ts", 'import { a } from "../ingest/../../processors/a.ts";'],
    ["lib/a/b.ts", 'import type { A } from "../../lambdas/ingest/a.ts";'],
    ["lib/a/b.ts", 'import { a } from "../../runtime/a.ts";'],
    ["lib/a/b.ts", 'type A = import("../../processors/engine/a.ts").A;'],
    ["local/a.ts", 'const a = await import("../lib/a.ts");'],
    ["cli/a.ts", 'export * from "../local/a.ts";'],
    ["cli/a.ts", "const a = await import(name);"],
    ["processors/engine/worker/a.ts", 'import { a } from "../../adapters/a.ts";'],
    ["processors/engine/task/a.ts", 'import { Kafka } from "kafkajs";'],
    ["processors/engine/pipeline/a.ts", 'import { a } from "../worker/a.ts";'],
    ["processors/pipelines/a.ts", 'import { a } from "../engine/task/a.ts";'],
    ["processors/telemetry.ts", 'import { a } from "./adapters/a.ts";'],
    ["test/cli/a.test.ts", 'import { a } from "../../local/a.ts";'],
    ["elsewhere/a.ts", 'import { a } from "../contracts/a.ts";'],
  ])("in %s: %s", (path, source) => {
    expect(violations([readModule(path, source)])).toHaveLength(1);
  });

  test.each([
    ["lambdas/sink/a.ts", 'import { a } from "../../runtime/a.ts";\nimport middy from "@middy/core";'],
    ["processors/processor.ts", 'import { a } from "./adapters/a.ts";'],
    ["cli/a.ts", 'import { a } from "../processors/adapters/a.ts";'],
    ["processors/pipelines/a.ts", 'import { a } from "../engine/pipeline/dsl.ts";'],
    ["test/local/a.test.ts", 'import { a } from "../../local/a.ts";'],
    ["local/a.ts", 'await import(import.meta.resolve("kinesis-local/main.js"));'],
    ["cli/a.ts", 'const text = `import { a } from "../local/a.ts"`; // import "../local/a.ts"'],
  ])("and an allowed one is not, in %s: %s", (path, source) => {
    expect(violations([readModule(path, source)])).toEqual([]);
  });

  test("a module that only re-exports is a barrel, one that adds something is not", () => {
    expect(readModule("a.ts", 'export * from "./b.ts";\nexport { c } from "./c.ts";').isBarrel).toBe(true);
    expect(readModule("a.ts", 'import { b } from "./b.ts";\nexport { b };').isBarrel).toBe(true);
    expect(readModule("a.ts", 'export * from "./b.ts";\nexport const c = 1;').isBarrel).toBe(false);
  });
});
