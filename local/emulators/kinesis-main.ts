/**
 * The Kinesis emulator in a process of its own: `node kinesis-main.ts <port> <region>`.
 *
 * The SDK's Kinesis client speaks HTTP/2 without TLS here. kinesis-local takes it, but now and then answers with
 * frames that Node refuses ("Protocol error"); its HTTP/1.1 is sound, so that Node's own HTTP/2 stands in front.
 */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { connect } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../links/ports.ts";

const [port, region] = process.argv.slice(2);
if (port === undefined || region === undefined) throw new Error("Usage: kinesis-main.ts <port> <region>");

const plainPort = await freePort();
Object.assign(process.env, {
  KINESIS_MOCK_PLAIN_PORT: String(plainPort),
  // It insists on a TLS port as well, which nobody here uses.
  KINESIS_MOCK_TLS_PORT: String(await freePort()),
  AWS_REGION: region,
  LOG_LEVEL: "WARN",
});
// It reads its certificate from the working directory.
process.chdir(dirname(fileURLToPath(import.meta.resolve("kinesis-local/package.json"))));
await import(import.meta.resolve("kinesis-local/main.js"));

const RETRY_MS = 20;

const agent = new Agent({ keepAlive: true });

function forward(from: Http2ServerRequest, to: Http2ServerResponse): void {
  const headers = Object.entries(from.headers).filter(([name]) => !name.startsWith(":"));
  const upstream = request(
    {
      host: "127.0.0.1",
      port: plainPort,
      method: from.method,
      path: from.url,
      headers: Object.fromEntries([...headers, ["host", `127.0.0.1:${plainPort}`]]),
      agent,
    },
    (answer) => {
      const kept = Object.entries(answer.headers).filter(([name]) => !CONNECTION_HEADERS.has(name));
      to.writeHead(answer.statusCode ?? 500, Object.fromEntries(kept));
      answer.pipe(to);
    },
  );
  // It has failed: the client tries again.
  upstream.on("error", () => to.stream?.close());
  from.pipe(upstream);
}

/** HTTP/2 has no connection headers: Node refuses to send them. */
const CONNECTION_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade"]);

/** It opens its port a while after it was imported; until then nobody must find the one in front open. */
async function untilOpen(): Promise<void> {
  for (;;) {
    const socket = connect(plainPort, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await sleep(RETRY_MS);
  }
}

await untilOpen();
createServer(forward).listen(Number(port), "127.0.0.1");
