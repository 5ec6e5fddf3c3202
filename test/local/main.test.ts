import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { RunDirectory } from "../../local/run-directory.ts";
import { descendants, eventually, FIXTURE, isAlive, startLocal, stopLocal } from "./run.ts";

const MAIN = join(import.meta.dirname, "../../local/main.ts");
/** Four brokers start here, beside whatever else the machine does. */
const TIMEOUT_MS = 240_000;
vi.setConfig({ testTimeout: TIMEOUT_MS });

describe("two runs side by side", () => {
  it("do not clash; one stops in order, and the other leaves no process when it is killed", async () => {
    // A directory of their own: any other run would clear up after the killed one.
    const temporary = mkdtempSync(join(tmpdir(), "spillway-test-"));
    const [first, second] = await Promise.all([
      startLocal(["--brokers", "3"], { TMPDIR: temporary }),
      startLocal([], { TMPDIR: temporary }),
    ]);
    expect(first.ready.bootstrapServers.split(",")).toHaveLength(3);
    expect(first.ready.bootstrapServers).not.toContain(second.ready.bootstrapServers);
    const firstChildren = await descendants(first.process.pid!);
    const secondChildren = await descendants(second.process.pid!);
    expect(firstChildren.length).toBeGreaterThanOrEqual(6);

    expect(await stopLocal(first)).toBe(0);
    expect(firstChildren.filter(isAlive)).toEqual([]);
    expect(existsSync(first.ready.runDirectory)).toBe(false);

    second.process.kill("SIGKILL");
    await second.exited;
    await eventually(() => (secondChildren.some(isAlive) ? undefined : true));
    expect(readdirSync(temporary)).toEqual([basename(second.ready.runDirectory)]);
    vi.stubEnv("TMPDIR", temporary);
    new RunDirectory().remove();
    vi.unstubAllEnvs();
    expect(readdirSync(temporary)).toEqual([]);
    rmSync(temporary, { recursive: true });
  });
});

describe("a run that is stopped while it starts", () => {
  it("leaves no process and no directory", async () => {
    const temporary = mkdtempSync(join(tmpdir(), "spillway-test-"));
    const child = spawn(process.execPath, [MAIN, "--assembly", FIXTURE], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: "ignore",
    });
    const children = await eventually(async () => {
      const pids = await descendants(child.pid!);
      return pids.length >= 2 ? pids : undefined;
    });
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    await eventually(() => (children.some(isAlive) ? undefined : true));
    expect(readdirSync(temporary)).toEqual([]);
    rmSync(temporary, { recursive: true });
  });
});

describe("a machine that lacks something", () => {
  const runWith = (tools: readonly string[], cache: string) => {
    const path = mkdtempSync(join(tmpdir(), "spillway-test-path-"));
    for (const tool of tools) {
      const found = spawnSync("/bin/sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim();
      symlinkSync(found, join(path, tool));
    }
    const env = { PATH: path, XDG_CACHE_HOME: cache, TMPDIR: path };
    const result = spawnSync(process.execPath, [MAIN, "--assembly", FIXTURE], { env, encoding: "utf8" });
    rmSync(path, { recursive: true });
    return result;
  };

  it.each<[string, string[], RegExp]>([
    ["Java", ["setpriv"], /Java is not installed.*apt-get install -y openjdk-17-jre-headless/],
    [
      "Maven",
      ["setpriv", "java"],
      /Maven is not installed.*apt-get install -y openjdk-17-jre-headless maven/,
    ],
  ])("says how to install %s", (_, tools, message) => {
    const { status, stderr, stdout } = runWith(tools, "/nonexistent");
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
    expect(stdout).toBe("");
  });

  it("says what to do without an assembly", () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, "--assembly", "/nonexistent"], {
      encoding: "utf8",
    });
    expect(stderr).toContain("Run `npm run synth`");
    expect(status).toBe(1);
  });
});
