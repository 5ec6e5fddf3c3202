import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What the control server can do to a running platform. Each action resolves false where there is no such target. */
export interface Controls {
  state(): object;
  readonly services: {
    kill(name: string, index: number): boolean;
    pause(name: string, index: number): boolean;
    continue(name: string, index: number): boolean;
    scale(name: string, count: number): Promise<boolean>;
  };
  readonly links: { cut(name: string): boolean; restore(name: string): boolean };
  readonly brokers: { kill(id: number): Promise<boolean>; start(id: number): Promise<boolean> };
  /** Undefined where there is no such function. */
  invoke(name: string, payload: string): Promise<object | undefined>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

const MAX_SERVICE_COUNT = 50;

/** A loopback HTTP server through which demos and tests see the platform and break it. */
export class ControlServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(controls: Controls): Promise<ControlServer> {
    const server = createServer((request, response) => {
      text(request)
        .then((body) => answer(controls, request.method ?? "GET", request.url ?? "/", body))
        .catch((error: Error): Answer => ({ status: 500, body: { message: error.message } }))
        .then(({ status, body }) => {
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ControlServer(server);
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

async function answer(controls: Controls, method: string, target: string, body: string): Promise<Answer> {
  const url = new URL(target, "http://127.0.0.1");
  const path = url.pathname.split("/").slice(1).map(decodeURIComponent);
  if (method === "GET" && path.join("/") === "state") return { status: 200, body: controls.state() };
  const [kind = "", name = "", action = ""] = path;
  if (method !== "POST" || path.length !== 3) return unknown(url);
  if (kind === "functions" && action === "invoke") {
    const result = await controls.invoke(name, body === "" ? "{}" : body);
    return result === undefined ? unknown(url) : { status: 200, body: result };
  }
  const done = await act(controls, kind, name, action, url.searchParams);
  return done ? { status: 200, body: { done: true } } : unknown(url);
}

/** False where kind, name or action is none that there is. */
async function act(
  { services, links, brokers }: Controls,
  kind: string,
  name: string,
  action: string,
  query: URLSearchParams,
): Promise<boolean> {
  const index = Number(query.get("index") ?? 0);
  switch (`${kind} ${action}`) {
    case "services kill":
      return services.kill(name, index);
    case "services pause":
      return services.pause(name, index);
    case "services continue":
      return services.continue(name, index);
    case "services count": {
      const count = Number(query.get("n"));
      if (!(Number.isInteger(count) && count >= 0 && count <= MAX_SERVICE_COUNT)) {
        throw new RangeError(`n must be a whole number from 0 to ${MAX_SERVICE_COUNT}`);
      }
      return services.scale(name, count);
    }
    case "links cut":
      return links.cut(name);
    case "links restore":
      return links.restore(name);
    case "brokers kill":
      return brokers.kill(Number(name));
    case "brokers start":
      return brokers.start(Number(name));
    default:
      return false;
  }
}

const unknown = (url: URL): Answer => ({
  status: 404,
  body: { message: `Nothing here can do ${url.pathname}. GET /state lists what there is.` },
});
