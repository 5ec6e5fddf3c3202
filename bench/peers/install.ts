/** Installs what the benchmarks compare with, beside its package.json; what is there already stays. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export function installPeers(): void {
  const cwd = import.meta.dirname;
  const { dependencies } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  // One may have been added since they were last installed.
  if (Object.keys(dependencies).every((name) => existsSync(join(cwd, "node_modules", name)))) return;
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`npm ci in ${cwd} ended with ${status}; run it by hand to see why.`);
}
