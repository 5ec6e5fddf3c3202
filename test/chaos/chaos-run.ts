/** `spillway chaos` in a process of its own, as a user starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { rootPath } from "../../cli/platform/synthesize.ts";

export interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Resolves when the run has ended, however it did. */
export async function runChaos(...args: readonly string[]): Promise<Ended> {
  // The kernel asks it to stop if the test's process dies, so that nothing it started stays behind.
  const command = [
    "--pdeathsig",
    "TERM",
    "--",
    process.execPath,
    join(rootPath, "cli/spillway.mjs"),
    "chaos",
    ...args,
  ];
  const child = spawn("setpriv", command, { stdio: ["ignore", "pipe", "inherit"] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code: code as number | null, said };
}
