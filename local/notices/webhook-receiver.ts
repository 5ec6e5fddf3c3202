import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What it remembers: for a person, or a test, who looks. */
const MAX_KEPT = 1_000;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Stands in for the webhook's receiver: takes whatever is posted, and answers it all, newest last, to GET. */
export class WebhookReceiver {
  readonly #server: Server;
  readonly #received: Received[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", async (request, response) => {
      if (request.method === "GET") {
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(this.#received));
        return;
      }
      this.#received.push({ headers: request.headers, body: await text(request) });
      if (this.#received.length > MAX_KEPT) this.#received.shift();
      response.writeHead(204).end();
    });
  }

  static async listen(): Promise<WebhookReceiver> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new WebhookReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
