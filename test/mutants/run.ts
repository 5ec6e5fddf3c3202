/** Hunts mutants in processes of their own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { SEEDS_PER_LOSS } from "../processors/engine/simulation/losses.ts";
import type { Mutant } from "./mutant.ts";

const hook = new URL("./hook.ts", import.meta.url).href;
const hunt = fileURLToPath(new URL("./hunt.ts", import.meta.url));

export interface Kill {
  /** The seed that failed. */
  readonly killer: number;
  readonly problem: string;
}

/**
 * @param seeds how many to try beside the known ones
 * @returns null where the mutant survived all of them
 */
export async function huntDown(mutant: Mutant, seeds: number, timeoutMs: number): Promise<Kill | null> {
  const child = spawn(
    process.execPath,
    [
      "--import",
      hook,
      hunt,
      mutant.seeds.join(","),
      String(seeds),
      String(mutant.needsLoss ? SEEDS_PER_LOSS : 1),
    ],
    {
      env: { ...process.env, SPILLWAY_MUTANT: mutant.name },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  const timer = setTimeout(stop, timeoutMs);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  clearTimeout(timer);
  process.off("exit", stop);
  // A busy machine must not pass for a mutant that was caught.
  if (code === null) throw new Error(`mutant "${mutant.name}": no end within ${timeoutMs} ms`);
  if (code !== 0) throw new Error(`mutant "${mutant.name}" could not be run: ${stderr}`);
  return stdout === "" ? null : (JSON.parse(stdout) as Kill);
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
