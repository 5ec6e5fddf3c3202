import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { StartError } from "../errors.ts";

/**
 * Below the range from which kernels hand out ports for outgoing connections (Linux: 32768 up, macOS and IANA:
 * 49152 up), so that none of those takes a port between this choice and the child's bind.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_ATTEMPTS = 100;

/** A port on loopback that was free a moment ago, for a child that must be told its port. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
  throw new StartError(
    `No free port on 127.0.0.1 after ${MAX_ATTEMPTS} attempts between ${FIRST_PORT} and ${LAST_PORT}. Stop what holds them.`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}
