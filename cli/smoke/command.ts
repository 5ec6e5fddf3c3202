/** `spillway smoke`: whether a deployed environment takes events, makes results of them, and keeps what fails. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { rootPath } from "../platform/synthesize.ts";
import { checks, type Surroundings } from "./checks.ts";
import { smokeEvents } from "./events.ts";
import { type Outcome, runChecks } from "./run.ts";
import type { Signing } from "./signing.ts";
import { createSqsClient, deployedTarget, localTarget, type Target } from "./target.ts";

const DEFAULT_TIMEOUT_S = 180;
const MAX_TIMEOUT_S = 3_600;

const help = `Usage: spillway smoke --env E [options]

Sends four signed events of a user who does not exist to a deployed environment and waits until they are in a result of
fraud-signals; sends one that must be refused; and puts a message into the dead-letter queue, which must be filed in the
archive (the alarm for dead letters rings: that it does is part of it) and is discarded then. Prints how each went, and
writes it with times and versions to smoke-<env>-<time>.json. Exits with 1 if anything failed.

Credentials and region are the AWS SDK's, from the environment. The door must take signatures (ingest.auth.kind: iam).

  --env E         the environment
  --outputs F     what npm run deploy wrote of the stacks' outputs   (default: cdk-outputs.json)
  --control URL   that of a platform on this machine, as \`spillway start\` prints it, instead
  --timeout S     seconds that each check may take   (default: ${DEFAULT_TIMEOUT_S})
  --out D         folder for the record   (default: .)
  --help          this text`;

export const smoke: Command = {
  help,
  run: async (args, signal) => {
    const { env, outputs, control, out, timeoutMs } = smokeOptions(args);
    const target =
      control === undefined ? await deployedTarget(env, resolve(outputs)) : await localTarget(control);
    const startedAt = new Date();
    const surroundings = surroundingsOf(target, timeoutMs, signal);
    const outcomes = await runChecks(checks, surroundings, (outcome) => console.log(outcomeText(outcome)));
    const record = {
      environment: env,
      startedAt: startedAt.toISOString(),
      durationMs: Date.now() - startedAt.getTime(),
      passed: outcomes.every(({ passed }) => passed),
      versions: { commit: await commit(), node: process.version },
      checks: outcomes,
    };
    const file = join(out, `smoke-${env}-${record.startedAt.replaceAll(":", "-")}.json`);
    await writeFile(file, `${JSON.stringify(record, undefined, 2)}\n`);
    console.log(`${record.passed ? "passed" : "FAILED"}; ${file}`);
    return record.passed ? 0 : 1;
  },
};

/** Reads the command line; throws {@link UsageError}. */
export function smokeOptions(args: readonly string[]) {
  const { env, timeout, ...options } = parseOptions(args, {
    env: { type: "string" },
    outputs: { type: "string", default: "cdk-outputs.json" },
    control: { type: "string" },
    timeout: { type: "string", default: String(DEFAULT_TIMEOUT_S) },
    out: { type: "string", default: "." },
  });
  if (env === undefined || !/^[a-z][a-z0-9-]*$/.test(env)) {
    throw new UsageError(`--env takes an environment's name, such as dev, not "${env ?? ""}"`);
  }
  return { ...options, env, timeoutMs: 1_000 * wholeNumber("timeout", timeout, 1, MAX_TIMEOUT_S) };
}

function surroundingsOf(target: Target, timeoutMs: number, signal: AbortSignal): Surroundings {
  const dynamodb = createDynamoDBClient();
  const signing = async (): Promise<Signing> => ({
    credentials: await dynamodb.config.credentials(),
    region: await dynamodb.config.region(),
  });
  return {
    target,
    signing,
    archive: new ArchiveIndex(dynamodb, target.archiveTable),
    sqs: createSqsClient(),
    sent: smokeEvents(randomUUID(), Date.now()),
    timeoutMs,
    signal,
  };
}

const outcomeText = ({ name, passed, durationMs, detail }: Outcome): string =>
  `${passed ? "ok    " : "FAILED"} ${name.padEnd(44)} ${(durationMs / 1_000).toFixed(1).padStart(6)} s  ${detail}`;

/** Of the checkout; null where it is none. */
async function commit(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: rootPath });
    return stdout.trim();
  } catch {
    return null;
  }
}
