import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundle, bundleWithEventValidators, REPOSITORY_ROOT } from "../../../lib/functions/bundle.ts";

describe("bundle", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "spillway-bundle-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function write(name: string, source: string): string {
    mkdirSync(directory, { recursive: true });
    const path = join(directory, name);
    writeFileSync(path, source);
    return path;
  }

  function run(outfile: string): string {
    return spawnSync(process.execPath, [outfile], { encoding: "utf8" }).stdout.trim();
  }

  test("runs a CommonJS package that requires Node's own modules, with no node_modules near it", () => {
    const kafkajs = join(REPOSITORY_ROOT, "node_modules/kafkajs/index.js");
    const entry = write("entry.ts", `import kafkajs from "${kafkajs}"; console.log(typeof kafkajs.Kafka);`);
    const outfile = join(directory, "out/index.mjs");

    bundle({ entry, outfile });

    expect(run(outfile)).toBe("function");
  });

  test("makes the same bytes of the same source, wherever it writes them", () => {
    const entry = write("entry.ts", "const answer: number = 42; console.log(answer);");
    const outfiles = [join(directory, "a/index.mjs"), join(directory, "b/index.mjs")] as const;

    for (const outfile of outfiles) bundle({ entry, outfile });

    expect(readFileSync(outfiles[0])).toEqual(readFileSync(outfiles[1]));
  });

  test("says where a source is broken", () => {
    const entry = write("entry.ts", 'import "./missing.ts";');

    expect(() => bundle({ entry, outfile: join(directory, "index.mjs") })).toThrow(
      /entry\.ts:1:7.*missing\.ts/,
    );
  });

  test("puts generated validators in place of those that compile schemas at run time", () => {
    const entry = write(
      "entry.ts",
      'import * as v from "#event-validators"; console.log(Object.keys(v).length > 0);',
    );
    const outfile = join(directory, "index.mjs");

    bundleWithEventValidators({ entry, outfile });

    expect(run(outfile)).toBe("true");
    expect(readFileSync(outfile, "utf8")).not.toMatch(/\bnew Function\(|\beval\(/);
  });
});
