/** `spillway generate` as it is typed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { UsageError } from "../../../cli/command.ts";
import { generateCommand } from "../../../cli/generate/command.ts";

const launcher = fileURLToPath(new URL("../../../cli/spillway.mjs", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "spillway-generate-"));
afterAll(() => rmSync(folder, { recursive: true }));

function generate(...args: string[]) {
  return spawnSync(process.execPath, [launcher, "generate", ...args], { encoding: "utf8", maxBuffer: 1e8 });
}

test("a file and standard output get the same lines, as many as asked for", () => {
  const [out, truth] = [path.join(folder, "out.ndjson"), path.join(folder, "truth.ndjson")];
  const options = [
    "user-activity",
    "--events",
    "2500",
    "--seed",
    "7",
    "--users",
    "100",
    "--hot-share",
    "0.5",
  ];

  const toFile = generate(...options, "--out", out, "--truth", truth);
  const toOutput = generate(...options);

  expect([toFile.status, toFile.stdout, toFile.stderr]).toEqual([0, "", ""]);
  expect(readFileSync(out, "utf8")).toBe(toOutput.stdout);
  expect(toOutput.stdout.split("\n")).toHaveLength(2_501);
  const [parameters, ...rest] = readFileSync(truth, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(parameters).toEqual({
    kind: "parameters",
    stream: "user-activity",
    events: 2_500,
    seed: 7,
    users: 100,
    hotShare: 0.5,
    hotUserId: "user-000000",
    outOfOrderMs: 120_000,
  });
  expect(new Set(rest.map(({ kind }) => kind))).toContain("duplicate");
});

test("a reader that has enough ends it without a complaint", () => {
  const command = `"${process.execPath}" "${launcher}" generate clickstream --events 200000 | head -n 1`;
  const { status, stdout, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", command], {
    encoding: "utf8",
  });

  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ type: "page.viewed" });
});

test("a folder that is not there is an error that names it", () => {
  const { status, stderr } = generate(
    "clickstream",
    "--events",
    "1",
    "--out",
    path.join(folder, "none", "out"),
  );

  expect(status).toBe(1);
  expect(stderr).toContain(path.join(folder, "none", "out"));
});

test.each([
  [],
  ["weather"],
  ["toString"],
  ["--events", "5"],
  ["clickstream", "--events", "0"],
  ["clickstream", "--users", "0"],
  ["clickstream", "--hot-share", "1"],
  ["clickstream", "--hot-share", "-0.1"],
  ["clickstream", "--hot-share", "most"],
  ["clickstream", "--hot-share", ""],
  ["clickstream", "extra"],
  ["clickstream", "--partitions", "4"],
  ["flights", "--events", "3000001"],
  ["flights", "--partitions", "0"],
  ["flights", "--seed", "7"],
])("%s %s %s is refused", (...args) => {
  expect(() => generateCommand(args.filter((arg) => arg !== undefined))).toThrow(UsageError);
});
