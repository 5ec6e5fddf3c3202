/** Installs what the benchmarks compare with, beside its package.json; what is there already stays. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export function installPeers(): void {
  const cwd = import.meta.dirname;
  if (existsSync(join(cwd, "node_modules", ".package-lock.json"))) return;
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`npm ci in ${cwd} ended with ${status}; run it by hand to see why.`);
}
