import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../../cli/command.ts";
import { replayOptions } from "../../../cli/replay/command.ts";

const launcher = fileURLToPath(new URL("../../../cli/spillway.mjs", import.meta.url));
let folder: string;
const path = (name: string) => join(folder, name);

function replay(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, "replay", ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const source = (topic: string) =>
  `{ topic: "${topic}", decode: (v) => JSON.parse(new TextDecoder().decode(v)), time: (r) => r.t }`;
const counting = (name: string) =>
  `pipeline("${name}").from(${source("in")}, { outOfOrderMs: 0, dedupe: false }).keyBy((r) => r.k)` +
  ".window(tumbling({ sizeMs: 10 })).aggregate({ n: count() }).toResults()";

const modules = {
  "one.ts": `export default ${counting("one")};`,
  "again.ts": `export const again = ${counting("again")};\nexport default again;`,
  "two.ts": `export const first = ${counting("first")};\nexport const all = [first, ${counting("second")}];`,
  "none.ts": "export const nothing = 1;",
  "throws.ts": `export const bad = ${counting("Bad Name")};`,
  "syntax.ts": "export const = 5;",
  "united.ts": `export default pipeline("united").from(${source("a")}, { outOfOrderMs: 0, dedupe: false })
    .union(stream(${source("b")}, { outOfOrderMs: 0, dedupe: false }))
    .keyBy((r) => r.k).window(tumbling({ sizeMs: 10 })).aggregate({ n: count() }).toResults();`,
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spillway-replay-"));
  const imports = 'import { count, pipeline, stream, tumbling } from "spillway/pipeline";\n';
  for (const [name, text] of Object.entries(modules)) writeFileSync(path(name), imports + text);
  writeFileSync(path("in.ndjson"), '{"k":"a","t":1}\n{"k":"b","t":2}\n{"k":"a","t":13}\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

test("runs a module of any folder, and says what it did", () => {
  const { status, stdout, stderr } = replay(
    ...["--pipeline", path("one.ts"), "--input", path("in.ndjson"), "--output", path("out.ndjson")],
    ...["--partitions", "2", "--crash-every", "1", "--checkpoint-every", "2", "--batch", "1", "--seed", "7"],
  );

  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^one\n {2}lines .* 3 .*\n.*3 counted.*\n.*3 results.*\n.*3 crashes/);
  const result = (key: string, start: number) =>
    `{"kind":"result","pipeline":"one","key":"${key}","window":{"start":${start},"end":${start + 10}},"value":{"n":1},"revision":1}`;
  expect(readFileSync(path("out.ndjson"), "utf8").split("\n").slice(0, -1).sort()).toEqual([
    result("a", 0),
    result("a", 10),
    result("b", 0),
  ]);
});

test("says why lines are dead", () => {
  writeFileSync(
    path("dead.ndjson"),
    '{"k":"a"}\n{"k":"a","t":1}\n{"k":1,"t":1}\n{"t":2}\n{"k":"a","t":"1"}\n',
  );
  const { stdout } = replay(
    ...["--pipeline", path("one.ts"), "--input", path("dead.ndjson"), "--output", path("out.ndjson")],
  );

  expect(stdout).toMatch(
    /\n {2}dead {6}2 missing-time, first: the event has no valid time\n {12}2 invalid-key, first: the key is not text, .*\n {2}survived/,
  );
});

describe("exits with 2 and says what to do", () => {
  const io = () => ["--input", path("in.ndjson"), "--output", path("refused")];
  test.each<[string, () => string[], RegExp]>([
    ["without arguments", () => [], /needs --pipeline/],
    ["without an input", () => ["--pipeline", path("one.ts"), "--output", path("refused")], /needs --input/],
    [
      "without an output",
      () => ["--pipeline", path("one.ts"), "--input", path("in.ndjson")],
      /needs --output/,
    ],
    ["for a module that is not there", () => ["--pipeline", path("no.ts"), ...io()], /no\.ts does not exist/],
    [
      "for a module without a pipeline",
      () => ["--pipeline", path("none.ts"), ...io()],
      /exports no pipeline/,
    ],
    [
      "for several pipelines",
      () => ["--pipeline", path("two.ts"), ...io()],
      /say which with --name: first, second/,
    ],
    [
      "for an unknown name",
      () => ["--pipeline", path("two.ts"), "--name", "third", ...io()],
      /"third".*first, second/,
    ],
    [
      "for a pipeline with a mistake",
      () => ["--pipeline", path("throws.ts"), ...io()],
      /"Bad Name": use up to 64/,
    ],
    ["for a module that is no TypeScript", () => ["--pipeline", path("syntax.ts"), ...io()], /syntax\.ts:2/],
    [
      "for an input that is not there",
      () => ["--pipeline", path("one.ts"), "--input", path("no"), "--output", path("refused")],
      /no cannot be read/,
    ],
    [
      "for an input that is a folder",
      () => ["--pipeline", path("one.ts"), "--input", folder, "--output", path("refused")],
      /is not a file/,
    ],
    [
      "for an output in no folder",
      () => ["--pipeline", path("one.ts"), "--input", path("in.ndjson"), "--output", path("no/out")],
      /cannot be written/,
    ],
    [
      "for topics without a file",
      () => [
        "--pipeline",
        path("united.ts"),
        "--input",
        `a=${path("in.ndjson")}`,
        "--output",
        path("refused"),
      ],
      /--input a=<file> --input b=<file>/,
    ],
    [
      "for a file without a topic",
      () => ["--pipeline", path("united.ts"), ...io()],
      /does not say which topic/,
    ],
  ])("%s", (_name, args, message) => {
    const { status, stderr } = replay(...args());

    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  test("where the output is the input, which stays as it is", () => {
    writeFileSync(path("both"), '{"k":"a","t":1}\n');
    symlinkSync(path("both"), path("alias"));
    const { status, stderr } = replay(
      "--pipeline",
      path("one.ts"),
      "--input",
      path("both"),
      "--output",
      path("alias"),
    );

    expect(stderr).toMatch(/is an input too/);
    expect(status).toBe(2);
    expect(readFileSync(path("both"), "utf8")).toBe('{"k":"a","t":1}\n');
  });
});

test("one of several pipelines is chosen by its name, and one exported twice is one", () => {
  for (const args of [["two.ts", "--name", "second"], ["again.ts"]]) {
    const [module, ...rest] = args;
    const { status } = replay(
      "--pipeline",
      path(module!),
      ...rest,
      "--input",
      path("in.ndjson"),
      "--output",
      path("out"),
    );
    expect(status).toBe(0);
  }
});

test.each([
  ["--partitions", "0"],
  ["--partitions", "1001"],
  ["--checkpoint-every", "0"],
  ["--crash-every", "-1"],
  ["--batch", "many"],
  ["--seed", "1.5"],
  ["--nonsense", "1"],
])("%s %s is refused", (...args) => {
  expect(() => replayOptions(["--pipeline", "p", "--input", "i", "--output", "o", ...args])).toThrow(
    UsageError,
  );
});
