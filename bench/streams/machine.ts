/** What the figures were measured on. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly java: string;
  readonly commit: string;
  /** Load average of the minute before: more than the cores means that others worked too. */
  readonly loadBefore: number;
}

const GIB = 1024 ** 3;

export function machineFacts(): Machine {
  const java = spawnSync("java", ["-version"], { encoding: "utf8" }).stderr;
  return {
    cores: cpus().length,
    model: cpus()[0]?.model ?? "unknown",
    memoryGib: Math.round(totalmem() / GIB),
    kernel: release(),
    node: process.version,
    java: /version "([^"]+)"/.exec(java)?.[1] ?? "unknown",
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: import.meta.dirname,
      encoding: "utf8",
    }).trim(),
    loadBefore: Math.round(loadavg()[0]! * 10) / 10,
  };
}
