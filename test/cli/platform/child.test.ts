/** Children of the command: their words are kept, and what they leave behind ends with them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exitOf, signalGroup, startChild } from "../../../cli/platform/child.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "spillway-test-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function script(code: string): Promise<string[]> {
  const file = join(folder, "child.mjs");
  await writeFile(file, code);
  return [file];
}

test("a child that fails is reported with its code and its last lines", async () => {
  const child = startChild(await script("console.error('no mvn here'); process.exit(3)"), {
    onLine: () => {},
  });

  await child.ended;

  expect(exitOf(child.process)).toBe("exited with code 3");
  expect(child.lastLines).toEqual(["no mvn here"]);
});

test("what a child leaves running in its group ends with it", async () => {
  const left = "process.stdin.resume(); setInterval(() => {}, 1000)";
  const child = startChild(
    await script(`import { spawn } from "node:child_process";
      const left = spawn(process.execPath, ["-e", ${JSON.stringify(left)}], { stdio: "inherit" });
      left.on("spawn", () => process.exit(1));`),
    { onLine: () => {} },
  );

  // The one that is left holds the child's output open, so this resolves only when it too has ended.
  await child.ended;

  expect(exitOf(child.process)).toBe("exited with code 1");
});

test("a child is told to stop by the end of its stdin, or by a signal to its group", async () => {
  const waiting = "process.stdin.resume().on('end', () => process.exit(0)); console.log('up')";
  const [stopped, killed] = await Promise.all([startWaiting(waiting), startWaiting(waiting)]);

  stopped.process.stdin?.end();
  signalGroup(killed.process, "SIGKILL");
  await Promise.all([stopped.ended, killed.ended]);

  expect(exitOf(stopped.process)).toBe("exited with code 0");
  expect(exitOf(killed.process)).toBe("was ended by SIGKILL");
});

async function startWaiting(code: string) {
  const up = Promise.withResolvers<void>();
  const child = startChild(await script(code), { onLine: () => up.resolve() });
  await up.promise;
  return child;
}
