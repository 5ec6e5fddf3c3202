/** Runs test files on a source with a mutant in it. */
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runMutated } from "./child.ts";
import type { TestVerdict, Verdict } from "./verdict-reporter.ts";

const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);
const config = fileURLToPath(new URL("./vitest.config.ts", import.meta.url));

export interface TestRun {
  readonly passed: number;
  /** The first that failed; what comes after it is not run. */
  readonly failed: readonly TestVerdict[];
}

/**
 * @param name of the mutant; null: the source as it is
 * @throws Error where a file could not be loaded or has no test, or a test did not end in time: that is no verdict
 */
export async function runTests(
  name: string | null,
  files: readonly string[],
  timeoutMs: number,
): Promise<TestRun> {
  const args = [vitest, "run", "--config", config, "--bail", "1", ...files];
  const { stdout, stderr } = await runMutated(name, args, timeoutMs);
  const verdict = verdictIn(stdout);
  if (verdict === null) throw new Error(`mutant "${name}" could not be run: ${stderr || stdout}`);
  const passed = verdict.tests.filter(({ state }) => state === "passed");
  const failed = verdict.tests.filter(({ state }) => state === "failed");
  const late = failed.find(({ message }) => TIMED_OUT.test(message));
  if (late !== undefined) throw new Error(`mutant "${name}": "${late.name}" did not end: ${late.message}`);
  const filesThatPassed = new Set(passed.map(({ file }) => file)).size;
  if (failed.length === 0 && (verdict.errors.length > 0 || filesThatPassed < files.length)) {
    const errors = verdict.errors.join("; ");
    throw new Error(`mutant "${name}": ${filesThatPassed} of ${files.length} files could be run: ${errors}`);
  }
  return { passed: passed.length, failed };
}

const TIMED_OUT = /timed out in \d+ms/;

function verdictIn(stdout: string): Verdict | null {
  const line = stdout.split("\n").find((each) => each.startsWith('{"tests":'));
  return line === undefined ? null : (JSON.parse(line) as Verdict);
}
