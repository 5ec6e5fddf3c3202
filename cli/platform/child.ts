/** Child processes of the command: their output is kept, and they never outlive a stop by long. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const KEPT_LINES = 30;

export interface Child {
  readonly process: ChildProcess;
  /** The last lines it wrote to stderr, for a report of how it ended. */
  readonly lastLines: readonly string[];
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<void>;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of stderr. */
  readonly onErrorLine?: (line: string) => void;
  /** Called with each line of stdout. */
  readonly onLine: (line: string) => void;
}

/**
 * Starts a module with this Node. The child gets a process group of its own: Ctrl-C in a terminal goes to the whole
 * foreground group, and only the command itself should act on it, stopping the others in order.
 */
export function startChild(args: readonly string[], { env, onErrorLine, onLine }: ChildOptions): Child {
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
    detached: true,
  });
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lastLines.push(line);
    if (lastLines.length > KEPT_LINES) lastLines.shift();
    onErrorLine?.(line);
  });
  createInterface({ input: child.stdout }).on("line", onLine);
  // A child that is gone must not take the command with it; how it ended is reported from `ended`.
  child.stdin.on("error", () => {});
  // Whatever it started in its group and left behind ends with it, however it ended itself.
  child.on("exit", () => signalGroup(child, "SIGKILL"));
  const ended = new Promise<void>((resolve) => {
    child.on("error", (error) => {
      lastLines.push(error.message);
      resolve();
    });
    child.on("close", () => resolve());
  });
  return { process: child, lastLines, ended };
}

/** How a child ended, in words. */
export function exitOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `exited with code ${exitCode}` : `was ended by ${signalCode}`;
}

/** Sends the signal to the child and everything it started that is still in its group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is empty: nothing is left to be signalled.
  }
}
