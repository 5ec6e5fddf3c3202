/** The command line: what is understood, what is refused and with which exit code. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { UsageError } from "../../cli/command.ts";
import { demoOptions } from "../../cli/demo/command.ts";
import { progressLine } from "../../cli/demo/progress.ts";

const launcher = fileURLToPath(new URL("../../cli/spillway.mjs", import.meta.url));

function spillway(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test.each([
  { args: ["--help"], status: 0, stdout: /demo .*\n.*start /s },
  { args: ["demo", "--help"], status: 0, stdout: /--kill-at/ },
  { args: ["replay", "--help"], status: 0, stdout: /--crash-every/ },
  { args: ["explain", "--help"], status: 0, stdout: /--json/ },
  { args: ["start", "--help"], status: 0, stdout: /--brokers/ },
  { args: ["smoke", "--help"], status: 0, stdout: /--outputs/ },
  { args: ["smoke"], status: 2, stderr: /--env takes an environment's name/ },
  {
    args: ["smoke", "--env", "dev", "--outputs", "nowhere.json"],
    status: 2,
    stderr: /npm run deploy writes it/,
  },
  { args: ["cost", "--help"], status: 0, stdout: /--events/ },
  { args: ["cost", "--env", "qa"], status: 2, stderr: /--env takes one of dev, staging, prod, not "qa"/ },
  { args: ["savepoint", "--help"], status: 0, stdout: /--control/ },
  { args: ["reset", "--help"], status: 0, stdout: /--discard-state/ },
  { args: ["compare", "--help"], status: 0, stdout: /--until/ },
  { args: ["schemas", "check"], status: 0, stdout: /^flight\.departed: version \d+, as released$/m },
  { args: ["schemas"], status: 2, stderr: /say check or release/ },
  { args: ["savepoint", "p", "--name", "A/b"], status: 2, stderr: /--name takes .*, not "A\/b"/ },
  { args: ["reset", "p"], status: 2, stderr: /--discard-state/ },
  { args: ["compare", "p"], status: 2, stderr: /which two pipelines/ },
  // Port 1 refuses. Each has loaded all of its modules by then, as Node loads them and not as vitest does.
  ...[
    ["savepoint", "airport-delays", "--name", "s"],
    ["reset", "airport-delays", "--discard-state"],
    ["compare", "airport-delays", "user-sessions"],
    ["dead-letters", "list"],
    ["smoke", "--env", "dev"],
  ].map((args) => ({
    args: [...args, "--control", "http://127.0.0.1:1"],
    status: 2,
    stderr: /no platform answers at http:\/\/127\.0\.0\.1:1\/state/,
  })),
  { args: ["dead-letters"], status: 2, stderr: /list, show, stats, redrive, discard/ },
  {
    args: ["dead-letters", "list", "--reason", "bad-luck"],
    status: 2,
    stderr: /--reason takes .*undecodable/,
  },
  { args: ["dead-letters", "redrive", "--execute"], status: 2, stderr: /say which entries are meant/ },
  { args: [], status: 2, stdout: /Usage: spillway/ },
  { args: ["nonsense"], status: 2, stderr: /unknown command "nonsense"/ },
  { args: ["toString"], status: 2, stderr: /unknown command "toString"/ },
  { args: ["demo", "--nonsense"], status: 2, stderr: /--nonsense/ },
  { args: ["demo", "extra"], status: 2, stderr: /extra/ },
  { args: ["start", "--brokers", "2"], status: 2, stderr: /--brokers takes 1 or 3, not "2"/ },
])("spillway $args exits with $status", ({ args, status, stdout, stderr }) => {
  const result = spillway(...args);

  expect(result.status).toBe(status);
  if (stdout !== undefined) expect(result.stdout).toMatch(stdout);
  if (stderr !== undefined) expect(result.stderr).toMatch(stderr);
});

test("the demo's defaults", () => {
  const kills = [{ share: 0.5, victim: 0, duringRecovery: false }];
  expect(demoOptions([])).toEqual({ events: 300_000, kills, brokers: 1 });
});

test.each([
  ["--events", "0"],
  ["--events", "3000001"],
  ["--events", "1e3"],
  ["--events", "-5"],
  ["--events", ""],
  ["--kill-at", "0"],
  ["--kill-at", "1.1"],
  ["--kill-at", "soon"],
  ["--brokers", "2"],
  ["--kills", "0"],
  ["--kills", "2", "--kill-at", "0.5"],
  ["--seed", "7"],
])("%s %s is refused", (...args) => {
  expect(() => demoOptions(args)).toThrow(UsageError);
});

test("a seed decides when the kill comes", () => {
  const killAt = (seed: string) => demoOptions(["--kill-at", "random", "--seed", seed]).kills[0]!.share;

  expect(killAt("7")).toBe(killAt("7"));
  expect(killAt("7")).not.toBe(killAt("8"));
  for (const seed of ["0", "1", "4294967295"]) {
    expect(killAt(seed)).toBeGreaterThanOrEqual(0.1);
    expect(killAt(seed)).toBeLessThan(0.9);
  }
});

test("the progress line holds what was sent, the rate, the lag and the time", () => {
  const state = { accepted: 150_000, total: 300_000, rate: 12_345.6, lag: 2_000, elapsedMs: 12_400 };
  expect(progressLine(state)).toBe(
    "████████████░░░░░░░░░░░░  50 %  150,000 events  12,346/s  lag 2,000  12 s",
  );
  expect(progressLine({ ...state, lag: undefined })).toContain("lag ?");
});
