/** A program ends by itself once its sender is closed, and while its sender has nothing to do. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const sender = fileURLToPath(new URL("../../clients/sender.ts", import.meta.url));

/** A door that takes requests and never answers. */
async function silentDoor(): Promise<string> {
  const server = createServer(() => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
}

async function run(program: string): Promise<{ code: number; stdout: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const stdout = Buffer.concat(await child.stdout.toArray()).toString();
  return { code: (await ended)[0], stdout };
}

test.each([
  ["closed with a request under way", "await sender.send({ id: '1' }); await sender.close(200);", "1 closed"],
  [
    "closed while it waits for its next attempt",
    `await sender.send({ id: "1" }); await new Promise((resolve) => setTimeout(resolve, 100)); await sender.close(1);`,
    "1 closed",
  ],
  ["closed with nothing to do", "await sender.close(3_600_000);", ""],
  ["never closed, with nothing to do", "", ""],
])("%s", async (_, rest, stdout) => {
  const program = `
    import { Sender } from ${JSON.stringify(sender)};
    const sender = new Sender({
      url: ${JSON.stringify(await silentDoor())},
      lingerMs: 0,
      requestTimeoutMs: ${stdout === "" ? 35_000 : 50},
      maxAttempts: 1_000,
      onGivenUp: ({ id }, { reason }) => console.log(id, reason),
    });
    ${rest}`;

  expect(await run(program)).toEqual({ code: 0, stdout: stdout === "" ? "" : `${stdout}\n` });
});

test("what a callback throws is an uncaught exception, and not lost", async () => {
  const program = `
    import { Sender } from ${JSON.stringify(sender)};
    process.on("uncaughtException", ({ message }) => console.log(message));
    const sender = new Sender({
      url: ${JSON.stringify(await silentDoor())},
      requestTimeoutMs: 50,
      maxAttempts: 1,
      onGivenUp: ({ id }) => { throw new Error("thrown for " + id); },
    });
    await sender.send({ id: "1" });
    await sender.send({ id: "2" });
    await sender.close(3_600_000);
    console.log(sender.pendingEvents);`;

  expect(await run(program)).toEqual({ code: 0, stdout: "thrown for 1\nthrown for 2\n0\n" });
});
