import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** How a link stands, for GET /state. */
export interface LinkState {
  readonly name: string;
  readonly address: string;
  readonly cut: boolean;
  readonly hanging: boolean;
  readonly connections: number;
}

/** A moment in Kafka's protocol at which a link is cut. */
export interface CutAt {
  /** API key of the request (https://kafka.apache.org/protocol, "Api Keys"): 26 is EndTxn. */
  readonly apiKey: number;
  /** `before`: the request does not reach the broker. `after`: the broker has answered, and its answer is lost. */
  readonly moment: "before" | "after";
}

/** Bytes before a request's API key: its length. */
const API_KEY_AT = 4;

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
  #hanging = false;
  #cutAt: CutAt | undefined;

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
      hanging: this.#hanging,
      connections: Math.floor(this.#sockets.size / 2),
    };
  }

  connectTo(upstreamPort: number): void {
    this.#upstreamPort = upstreamPort;
  }

  /** Resets every connection, and every later one until {@link restore}. The port stays taken. */
  cut(): void {
    this.#cut = true;
    this.reset();
  }

  /** Resets every connection; later ones pass. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Resets every connection at the next such request, once. */
  cutAt(cutAt: CutAt): void {
    this.#cutAt = cutAt;
  }

  /** Keeps every connection, also later ones, but passes nothing on until {@link restore}: a network that drops packets. */
  hang(): void {
    this.#hanging = true;
    for (const socket of this.#sockets) socket.pause();
  }

  restore(): void {
    this.#cut = false;
    this.#hanging = false;
    this.#cutAt = undefined;
    for (const socket of this.#sockets) socket.resume();
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
    let withholding = false;
    this.#relay(client, upstream, (chunk) => {
      const moment = this.#momentOf(chunk);
      withholding ||= moment === "after";
      return moment !== "before";
    });
    this.#relay(upstream, client, () => !withholding);
  }

  /** Passes on what `passes` lets through; where it does not, every connection is reset. */
  #relay(from: Socket, to: Socket, passes: (chunk: Buffer) => boolean): void {
    this.#track(from, to);
    from.on("data", (chunk: Buffer) => {
      if (!passes(chunk)) this.reset();
      else if (!to.write(chunk)) from.pause();
    });
    from.on("end", () => to.end());
    to.on("drain", () => {
      if (!this.#hanging) from.resume();
    });
    if (this.#hanging) from.pause();
  }

  /** Clients write each request in one piece, so that a chunk begins with one; a large one's rest is taken for noise. */
  #momentOf(chunk: Buffer): CutAt["moment"] | undefined {
    if (this.#cutAt === undefined || chunk.length < API_KEY_AT + 2) return undefined;
    const { apiKey, moment } = this.#cutAt;
    if (chunk.readInt16BE(API_KEY_AT) !== apiKey) return undefined;
    this.#cutAt = undefined;
    return moment;
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
