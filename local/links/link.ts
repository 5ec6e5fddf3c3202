import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** How a link stands, for GET /state. */
export interface LinkState {
  readonly name: string;
  readonly address: string;
  readonly cut: boolean;
  readonly connections: number;
}

/**
 * A TCP proxy on loopback between clients and one part of the platform, so that the way between them can be cut.
 * It listens from the start; until it is connected to its upstream it closes what comes in, as a cut link does.
 */
export class Link {
  readonly name: string;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #upstreamPort: number | undefined;
  #cut = false;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (client) => this.#forward(client));
  }

  static async open(name: string): Promise<Link> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Link(name, server);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  get state(): LinkState {
    return {
      name: this.name,
      address: this.address,
      cut: this.#cut,
      connections: Math.floor(this.#sockets.size / 2),
    };
  }

  connectTo(upstreamPort: number): void {
    this.#upstreamPort = upstreamPort;
  }

  /** Resets every connection, and every later one until {@link restore}. The port stays taken. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  restore(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #forward(client: Socket): void {
    if (this.#cut || this.#upstreamPort === undefined) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: this.#upstreamPort, host: "127.0.0.1", noDelay: true });
    this.#track(client, upstream);
    this.#track(upstream, client);
    client.pipe(upstream);
    upstream.pipe(client);
  }

  /** One side gone means the other must go too: a half that lingers would hide a broken connection. */
  #track(socket: Socket, peer: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => peer.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      peer.destroySoon();
    });
  }
}
