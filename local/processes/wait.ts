import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 50;

/** Resolves once something accepts connections on a loopback port. The caller bounds it by the child's exit. */
export async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await sleep(RETRY_MS, undefined, { signal });
    } finally {
      socket.destroy();
    }
  }
}
