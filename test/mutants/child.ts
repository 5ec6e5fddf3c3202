/** The process that one mutant runs in. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { MUTANT_VARIABLE } from "./named.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs node with these arguments.
 * @param name of the mutant; null: the source as it is
 * @throws Error where it does not end in time: a busy machine must not pass for a mutant that was caught
 */
export async function runMutated(
  name: string | null,
  args: readonly string[],
  timeoutMs: number,
): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env: environmentOf(name),
    stdio: ["ignore", "pipe", "pipe"],
  });
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
  if (code === null) throw new Error(`mutant "${name}": no end within ${timeoutMs} ms`);
  return { code, stdout, stderr };
}

/** Without what Vitest says to its own processes, where it is Vitest that runs this one. */
function environmentOf(name: string | null): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([variable]) => !variable.startsWith("VITEST") && variable !== MUTANT_VARIABLE,
  );
  return { ...Object.fromEntries(own), ...(name === null ? {} : { [MUTANT_VARIABLE]: name }) };
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
