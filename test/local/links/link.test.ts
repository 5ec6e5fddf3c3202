import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Link } from "../../../local/links/link.ts";

const END_TXN = 26;

let link: Link;
let upstream: Server;
let received: string[];
beforeEach(async () => {
  received = [];
  upstream = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received.push(chunk.toString("latin1"));
      socket.write(chunk);
    });
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  link = await Link.open("broker-1");
  link.connectTo((upstream.address() as AddressInfo).port);
});
afterEach(async () => {
  await link.close();
  upstream.close();
});

function open(): Socket {
  const socket = connect(link.port, "127.0.0.1");
  socket.on("error", () => {});
  return socket;
}

/** Not by `once`, which takes the reset before it for a failure. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once("close", () => resolve()));

async function echo(socket: Socket, bytes: string | Buffer): Promise<string> {
  socket.write(bytes);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString("latin1");
}

/** The first bytes of a Kafka request: length, API key. */
function request(apiKey: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32BE(8);
  bytes.writeInt16BE(apiKey, 4);
  return bytes;
}

describe("a link", () => {
  it("passes everything on, and resets what is open when it is cut", async () => {
    const socket = open();
    expect(await echo(socket, "a")).toBe("a");
    const gone = closed(socket);
    link.cut();
    await gone;
    await closed(open());
    link.restore();
    expect(await echo(open(), "b")).toBe("b");
  });

  it("that hangs keeps connections, also new ones, and passes on later what was sent meanwhile", async () => {
    const socket = open();
    await echo(socket, "a");
    link.hang();
    const later = open();
    await once(later, "connect");
    const answers = [echo(socket, "b"), echo(later, "c")];
    expect(link.state.hanging).toBe(true);
    expect(received).toEqual(["a"]);
    link.restore();
    expect(await Promise.all(answers)).toEqual(["b", "c"]);
  });

  it("that is reset takes new connections", async () => {
    const socket = open();
    await echo(socket, "a");
    const gone = closed(socket);
    link.reset();
    await gone;
    expect(await echo(open(), "b")).toBe("b");
  });

  it.each([
    { moment: "before", reaches: 2 },
    { moment: "after", reaches: 3 },
  ] as const)("is cut once, $moment a chosen request is answered", async ({ moment, reaches }) => {
    link.cutAt({ apiKey: END_TXN, moment });
    const [socket, bystander] = [open(), open()];
    await echo(socket, request(0));
    await echo(bystander, request(0));
    let answered = false;
    socket.on("data", () => {
      answered = true;
    });
    const gone = Promise.all([closed(socket), closed(bystander)]);
    socket.write(request(END_TXN));
    await gone;
    expect({ answered, reached: received.length }).toEqual({ answered: false, reached: reaches });
    expect(await echo(open(), request(END_TXN))).toBe(request(END_TXN).toString("latin1"));
  });
});
