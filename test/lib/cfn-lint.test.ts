/** cfn-lint, AWS's own linter of templates, over every stack of every environment. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { spillwayApp } from "../../lib/app.ts";
import { environmentConfig, environmentNames } from "../../lib/config/environments.ts";
import { addPlatform } from "../../lib/platform.ts";
import { pipelines } from "../../processors/pipelines/all.ts";

const VERSION = "1.58.0";
/** A DependsOn that a reference says already: CDK writes it for readers, and CloudFormation does not mind. */
const IGNORED = "W3005";
const TIMEOUT_MS = 300_000;

const cfnLint = installed();

test.skipIf(cfnLint === undefined)(
  "cfn-lint has nothing to say about the templates",
  () => {
    const directory = mkdtempSync(join(tmpdir(), "spillway-lint-"));
    try {
      for (const name of environmentNames) synthesizeTo(join(directory, name), name);
      const templates = environmentNames.flatMap((name) => templatesIn(join(directory, name)));
      const lint = spawnSync(cfnLint!, ["--ignore-checks", IGNORED, "--", ...templates], {
        encoding: "utf8",
      });

      expect(templates.length).toBeGreaterThan(environmentNames.length);
      expect(lint).toMatchObject({ status: 0, stdout: "", stderr: "" });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);

function synthesizeTo(outdir: string, environment: string): void {
  const app = spillwayApp({
    outdir,
    context: { "aws:cdk:bundling-stacks": [] },
    // CDK's own rules take longer than all the rest; bin/ has them on.
    builtinCloudFormationValidation: false,
  });
  addPlatform(app, environmentConfig(environment), pipelines);
  app.synth();
}

function templatesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".template.json"))
    .map((file) => join(directory, file));
}

/**
 * The command, in a virtual environment of its own that is made once, in the user's cache. Undefined where there is no
 * Python to make it with; a run of CI fails there instead.
 */
function installed(): string | undefined {
  const cache = join(
    process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
    "spillway",
    `cfn-lint-${VERSION}`,
  );
  const [command, complete] = [join(cache, "bin", "cfn-lint"), join(cache, ".complete")];
  if (existsSync(complete)) return command;
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(join(cache, ".."), { recursive: true });
  for (const [program, ...args] of [
    ["python3", "-m", "venv", cache],
    [
      join(cache, "bin", "python"),
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      `cfn-lint==${VERSION}`,
    ],
  ] as const) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
    if (status === 0) continue;
    const reason =
      `The templates were not linted: "${program} ${args.join(" ")}" failed (${error?.message ?? stderr.trim()}). ` +
      "Install Python 3.9 or newer with venv, on Debian: apt-get install python3 python3-venv";
    if (process.env.CI) throw new Error(reason);
    console.warn(`\n${"!".repeat(80)}\n${reason}\n${"!".repeat(80)}\n`);
    return undefined;
  }
  writeFileSync(complete, "");
  return command;
}
