import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "spillway-local-";
const OWNER_FILE = "owner.pid";

/** Everything a run writes: Kafka's logs, function logs, unpacked images. Gone when the run ends. */
export class RunDirectory {
  readonly path: string;

  /** Also removes what runs that were killed left behind. */
  constructor() {
    removeOrphans();
    this.path = mkdtempSync(join(tmpdir(), PREFIX));
    writeFileSync(join(this.path, OWNER_FILE), String(process.pid));
  }

  /** Makes a directory below. */
  directory(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function removeOrphans(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    try {
      const owner = Number(readFileSync(join(path, OWNER_FILE), "utf8"));
      if (!isAlive(owner)) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another user's, or a run that is just making its own: neither is ours to remove.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
