import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { CutAt } from "../links/link.ts";

/** What the control server can do to a running platform. Each action resolves false where there is no such target. */
export interface Controls {
  state(): object;
  readonly services: {
    kill(name: string, index: number): boolean;
    pause(name: string, index: number): boolean;
    continue(name: string, index: number): boolean;
    scale(name: string, count: number): Promise<boolean>;
  };
  readonly links: {
    cut(name: string): boolean;
    cutAt(name: string, cutAt: CutAt): boolean;
    hang(name: string): boolean;
    reset(name: string): boolean;
    restore(name: string): boolean;
  };
  readonly brokers: {
    kill(id: number): Promise<boolean>;
    stop(id: number): Promise<boolean>;
    start(id: number): Promise<boolean>;
  };
  /** Undefined where there is no such function. */
  invoke(name: string, payload: string): Promise<object | undefined>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

const MAX_SERVICE_COUNT = 50;
/** It has two bytes, signed. */
const MAX_API_KEY = 32_767;

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
  controls: Controls,
  kind: string,
  name: string,
  action: string,
  query: URLSearchParams,
): Promise<boolean> {
  switch (kind) {
    case "services":
      return actOnService(controls, name, action, query);
    case "links":
      return actOnLink(controls, name, action, query);
    case "brokers":
      return (
        isOneOf(action, ["kill", "stop", "start"] as const) && (await controls.brokers[action](Number(name)))
      );
    default:
      return false;
  }
}

async function actOnService(
  { services }: Controls,
  name: string,
  action: string,
  query: URLSearchParams,
): Promise<boolean> {
  if (isOneOf(action, ["kill", "pause", "continue"] as const)) {
    return services[action](name, Number(query.get("index") ?? 0));
  }
  return action === "count" && services.scale(name, wholeNumber(query, "n", MAX_SERVICE_COUNT));
}

function actOnLink({ links }: Controls, name: string, action: string, query: URLSearchParams): boolean {
  if (isOneOf(action, ["cut", "hang", "reset", "restore"] as const)) return links[action](name);
  if (action !== "cut-at") return false;
  const moment = query.get("moment") ?? "";
  if (!isOneOf(moment, ["before", "after"] as const)) throw new RangeError("moment must be before or after");
  return links.cutAt(name, { apiKey: wholeNumber(query, "api", MAX_API_KEY), moment });
}

const isOneOf = <Name extends string>(name: string, names: readonly Name[]): name is Name =>
  (names as readonly string[]).includes(name);

function wholeNumber(query: URLSearchParams, name: string, max: number): number {
  const value = Number(query.get(name));
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${name} must be a whole number from 0 to ${max}`);
}

const unknown = (url: URL): Answer => ({
  status: 404,
  body: { message: `Nothing here can do ${url.pathname}. GET /state lists what there is.` },
});
