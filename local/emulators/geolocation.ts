/**
 * A geolocation service: `POST /locations {"ips": […]}` is answered with a place for each address, or null. It refuses
 * what is beyond its rate (429 with `Retry-After`), counted over any one second, takes its time, and fails where it is
 * told to. Places follow from the addresses, so that everybody is always told the same.
 *
 * `PUT /behaviour` changes how it behaves, `GET /seen` tells what it saw.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface Behaviour {
  /** Requests of any one second, its start included and its end not. */
  readonly maxRequestsPerSecond: number;
  readonly latencyMs: number;
  /** From 0 to 1: what share of the requests fails with 500, evenly spread. */
  readonly errorShare: number;
}

export interface Seen {
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  /** Of requests that were answered. */
  readonly addresses: number;
  /** The most requests of any one second, those that were refused included. */
  readonly mostInASecond: number;
}

export const DEFAULT_BEHAVIOUR: Behaviour = { maxRequestsPerSecond: 500, latencyMs: 20, errorShare: 0 };

const PLACES = [
  { country: "DE", city: "Berlin" },
  { country: "FR", city: "Paris" },
  { country: "GB", city: "London" },
  { country: "ES", city: "Madrid" },
  { country: "US", city: "Chicago" },
  { country: "BR", city: "São Paulo" },
  { country: "NG", city: "Lagos" },
  { country: "IN", city: "Mumbai" },
  { country: "JP", city: "Tokyo" },
  // Of one address in ten nobody knows where it is.
  null,
] as const;

/** FNV-1a. */
function placeOf(ip: string): (typeof PLACES)[number] {
  let hash = 0x811c9dc5;
  for (const char of ip) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  return PLACES[(hash >>> 0) % PLACES.length]!;
}

export class Geolocation {
  #behaviour: Behaviour;
  readonly #server: Server;
  /** When the requests of the last second came. */
  #latestMs: number[] = [];
  #errorsOwed = 0;
  #seen = { requests: 0, refused: 0, failed: 0, addresses: 0, mostInASecond: 0 };

  private constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async listen(port = 0, behaviour: Partial<Behaviour> = {}): Promise<Geolocation> {
    const service = new Geolocation({ ...DEFAULT_BEHAVIOUR, ...behaviour });
    await new Promise<void>((resolve) => service.#server.listen(port, "127.0.0.1", resolve));
    return service;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the service does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = `${request.method} ${request.url}`;
    try {
      if (route === "POST /locations") await this.#locate(request, response);
      else if (route === "GET /seen") reply(response, 200, this.#seen satisfies Seen);
      else if (route === "PUT /behaviour") {
        this.#behaviour = { ...this.#behaviour, ...((await bodyOf(request)) as Partial<Behaviour>) };
        reply(response, 200, this.#behaviour);
      } else reply(response, 404, { message: `there is no ${route}` });
    } catch (error) {
      reply(response, 400, { message: (error as Error).message });
    }
  }

  async #locate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { latencyMs, errorShare } = this.#behaviour;
    if (this.#isBeyondRate()) {
      this.#seen.refused += 1;
      reply(response, 429, { message: "too many requests" }, { "retry-after": "1" });
      return;
    }
    const { ips } = (await bodyOf(request)) as { ips: string[] };
    await new Promise((resolve) => setTimeout(resolve, latencyMs));
    this.#errorsOwed += errorShare;
    if (this.#errorsOwed >= 1) {
      this.#errorsOwed -= 1;
      this.#seen.failed += 1;
      reply(response, 500, { message: "told to fail" });
      return;
    }
    this.#seen.addresses += ips.length;
    reply(response, 200, { locations: ips.map(placeOf) });
  }

  /** One that is refused counts too: a client that goes on is refused for longer. */
  #isBeyondRate(): boolean {
    const nowMs = performance.now();
    this.#latestMs.push(nowMs);
    while (nowMs - this.#latestMs[0]! >= 1_000) this.#latestMs.shift();
    this.#seen.requests += 1;
    this.#seen.mostInASecond = Math.max(this.#seen.mostInASecond, this.#latestMs.length);
    return this.#latestMs.length > this.#behaviour.maxRequestsPerSecond;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
