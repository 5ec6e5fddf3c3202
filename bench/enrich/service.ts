/** The geolocation service of the local platform, in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { serviceUrlVariable } from "../../contracts/environment.ts";

const MAIN = join(import.meta.dirname, "../../local/emulators/geolocation-main.ts");

export interface Seen {
  readonly requests: number;
  readonly refused: number;
  readonly mostInASecond: number;
}

/** Starts it, and has pipelines ask it. */
export async function startService(behaviour: object): Promise<{ seen(): Promise<Seen>; stop(): void }> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN, String(port)], { stdio: ["ignore", "inherit", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/seen`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    await delay(50);
  }
  await fetch(`${url}/behaviour`, { method: "PUT", body: JSON.stringify(behaviour) });
  process.env[serviceUrlVariable("geolocation")] = url;
  return {
    seen: async () => (await (await fetch(`${url}/seen`)).json()) as Seen,
    stop: () => void child.kill("SIGKILL"),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
