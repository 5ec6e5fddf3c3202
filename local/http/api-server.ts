import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LambdaFunction } from "../functions/function.ts";
import { checkToken, type JwtAuthorizer, type JwtContext } from "./jwt.ts";
import {
  type ApiIdentity,
  gatewayAnswer,
  type HttpResponse,
  requestEvent,
  responseOf,
  sourceIpOf,
  splitUrl,
} from "./payload.ts";
import { type RequestLimit, TokenBucket } from "./request-limit.ts";
import { matchRoute, type Route } from "./routes.ts";

/** HTTP APIs refuse larger requests (API Gateway quotas). */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Longer than clients keep idle connections, so that none is closed under a request that is just being sent. */
const KEEP_ALIVE_MS = 120_000;

/** A request that has not come whole by then is answered 408 and its connection closed: as long as a call may take. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for such requests. */
const TIMEOUT_CHECKS = 30;

export interface ApiRoute extends Route {
  readonly target: LambdaFunction;
  /** How long the gateway waits for the integration. */
  readonly timeoutMs: number;
  /** @default no token is asked for */
  readonly jwt?: JwtAuthorizer | undefined;
}

/** One HTTP API on a port of its own. It listens at once, and answers 503 until it is opened. */
export class ApiServer {
  readonly #server: Server;
  #routes: readonly ApiRoute[] = [];
  #identity: ApiIdentity | undefined;
  #bucket: TokenBucket | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** @param requestTimeoutMs from a request's first byte to its last */
  static async listen(requestTimeoutMs = REQUEST_TIMEOUT_MS): Promise<ApiServer> {
    const server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / TIMEOUT_CHECKS),
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ApiServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get routeKeys(): string[] {
    return this.#routes.map(({ routeKey }) => routeKey);
  }

  /** Without a limit every request is let in. */
  open(identity: ApiIdentity, routes: readonly ApiRoute[], limit: RequestLimit | undefined): void {
    this.#identity = identity;
    this.#routes = routes;
    this.#bucket = limit && new TokenBucket(limit, Date.now());
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      const answer =
        body === undefined
          ? gatewayAnswer(413, "Request Entity Too Large")
          : await this.#answer(request, body);
      // The rest of a body that was refused is not read: the connection cannot be used again.
      if (body === undefined) response.setHeader("connection", "close");
      response.writeHead(answer.statusCode, { ...answer.headers, "content-length": answer.body.length });
      response.end(answer.body);
    } catch {
      // Only the client going away, or taking too long, while its request is read leads here; nobody is to be answered.
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage, body: Buffer): Promise<HttpResponse> {
    if (this.#identity === undefined) return gatewayAnswer(503, "Service Unavailable");
    const { method = "GET", url = "/", rawHeaders, httpVersion } = request;
    const [path] = splitUrl(url);
    const match = matchRoute(this.#routes, method, path);
    if (match === undefined) return gatewayAnswer(404, "Not Found");
    if (this.#bucket?.take(Date.now()) === false) return gatewayAnswer(429, "Too Many Requests");
    const { route, pathParameters } = match;
    let jwt: JwtContext | undefined;
    if (route.jwt !== undefined) {
      jwt = checkToken(request.headers.authorization, route.jwt, Date.now());
      if (jwt === undefined) return gatewayAnswer(401, "Unauthorized");
    }
    const event = requestEvent(
      { method, url, rawHeaders, body, sourceIp: sourceIpOf(request), httpVersion },
      { routeKey: route.routeKey, pathParameters, ...(jwt && { jwt }) },
      this.#identity,
      new Date(),
    );
    return invoke(route, event);
  }
}

/**
 * Beside what API Gateway would answer, where the time went (https://www.w3.org/TR/server-timing/): `invoke`, all that the
 * function took, in which `init`, where an environment was started for it.
 */
const SERVER_TIMING = "server-timing";

async function invoke(route: ApiRoute, event: string): Promise<HttpResponse> {
  const startedMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<"timeout">((resolve) => {
    timer = setTimeout(resolve, route.timeoutMs, "timeout");
  });
  const result = await Promise.race([route.target.invoke(event), timeout]);
  clearTimeout(timer);
  if (result === "timeout") return gatewayAnswer(503, "Service Unavailable");
  switch (result.kind) {
    case "answer": {
      const response = responseOf(result.payload);
      if (response === undefined) return gatewayAnswer(500, "Internal Server Error");
      const timing = timingText(performance.now() - startedMs, result.initMs);
      return { ...response, headers: { ...response.headers, [SERVER_TIMING]: timing } };
    }
    case "error":
      return gatewayAnswer(500, "Internal Server Error");
    case "throttled":
      return gatewayAnswer(503, "Service Unavailable");
    case "too-large":
      return gatewayAnswer(413, "Request Entity Too Large");
  }
}

function timingText(invokeMs: number, initMs: number | undefined): string {
  const invoked = `invoke;dur=${invokeMs.toFixed(1)}`;
  return initMs === undefined ? invoked : `${invoked}, init;dur=${initMs.toFixed(1)}`;
}

/** The whole body; undefined as soon as it is larger than the gateway takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
