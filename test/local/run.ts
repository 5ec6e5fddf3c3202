/** Starts local/main.ts as a user would, for the integration tests of this room. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Ready } from "../../local/ready.ts";

const MAIN = join(import.meta.dirname, "../../local/main.ts");
export const FIXTURE = join(import.meta.dirname, "fixtures/assembly");

export interface Run {
  readonly ready: Ready;
  readonly process: ChildProcess;
  /** What it said to people so far. */
  readonly said: () => string;
  readonly exited: Promise<number | null>;
}

/** Resolves once it is ready; rejects with what it said where it ends before. */
export async function startLocal(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, "--assembly", FIXTURE, "--until-stdin-ends", ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const exited = once(child, "close").then(([code]) => code as number | null);
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then((code) => Promise.reject(new Error(`ended with ${code}:\n${text}`))),
  ]);
  return { ready: JSON.parse(String(line)) as Ready, process: child, said: () => text, exited };
}

/** Asks it to stop by ending its stdin, and resolves with its exit code. */
export async function stopLocal(run: Run): Promise<number | null> {
  run.process.stdin?.end();
  return run.exited;
}

/** Pids of the processes below one, all generations. */
export async function descendants(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // The second field is the command in brackets, which may hold spaces.
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    parents.set(Number(name), parent);
  }
  const below = (root: number): number[] =>
    [...parents].filter(([, parent]) => parent === root).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const POLL_MS = 50;

/** Resolves with the first value that is defined; asks again until then. The test's timeout bounds it. */
export async function eventually<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
