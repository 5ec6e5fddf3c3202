import { watch } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { synthesize } from "../../../cli/platform/synthesize.ts";

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "spillway-test-"));
  vi.stubEnv("TMPDIR", temporary);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true, force: true });
});

test("a synth that is stopped while it bundles leaves nothing outside its caller's folder", async () => {
  const folder = join(temporary, "run");
  await mkdir(folder);
  const stop = new AbortController();
  const stopped = new Error("stopped");
  // The first temporary folder of the app, wherever it makes it.
  const watchers = [temporary, folder].map((watched) =>
    watch(watched, (_, name) => name?.startsWith("spillway-") && stop.abort(stopped)),
  );

  await expect(synthesize(join(folder, "cdk.out"), stop.signal)).rejects.toBe(stopped);

  for (const watcher of watchers) watcher.close();
  expect(await readdir(temporary)).toEqual(["run"]);
}, 60_000);
