/** A program of a part's own, in a process of its own. */
import { join } from "node:path";
import { BenchProcess } from "../streams/process.ts";

const HEAP_MIB = 6_144;

/**
 * What it tells: one line of JSON.
 * @throws Error where it ends before that
 */
export async function outcomeOf<Outcome>(
  script: string,
  options: object,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome & { readonly peakRssMib: number }> {
  let outcome: Outcome | undefined;
  const args = [
    `--max-old-space-size=${HEAP_MIB}`,
    join(import.meta.dirname, script),
    JSON.stringify(options),
  ];
  const child = new BenchProcess({ command: process.execPath, args, env }, (line) => {
    outcome = JSON.parse(line) as Outcome;
  });
  // The most memory is known as long as the process is there.
  const looking = setInterval(() => {
    if (!child.hasEnded) child.cpuS();
  }, 100);
  try {
    await child.ended;
  } finally {
    clearInterval(looking);
  }
  if (outcome === undefined) throw new Error(child.failure);
  return { ...outcome, peakRssMib: child.peakRssMib };
}
