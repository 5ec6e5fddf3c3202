/** The local HTTP API under very many small requests, and under clients that never finish theirs. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Sender } from "../../../clients/sender.ts";
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import type { InvokeResult, LambdaFunction } from "../../../local/functions/function.ts";
import { ApiServer } from "../../../local/http/api-server.ts";

const SENDERS = 8;
const EVENTS_PER_SENDER = 1_250;

/** Stands in for the ingest function: every fifth invocation finds no free environment, the others accept all. */
function door(taken: Map<string, number>): LambdaFunction {
  let invocations = 0;
  const invoke = async (payload: string): Promise<InvokeResult> => {
    invocations += 1;
    if (invocations % 5 === 0) return { kind: "throttled" };
    const { body, isBase64Encoded } = JSON.parse(payload);
    const events: CloudEvent[] = JSON.parse(
      Buffer.from(body, isBase64Encoded ? "base64" : "utf8").toString(),
    );
    for (const { id } of events) taken.set(id, (taken.get(id) ?? 0) + 1);
    const results = events.map(({ id }, index) => ({ index, id, status: "accepted" }));
    const answer = { statusCode: 202, body: JSON.stringify({ accepted: results.length, results }) };
    return { kind: "answer", payload: JSON.stringify(answer) };
  };
  return { invoke } as unknown as LambdaFunction;
}

async function openApi(target: LambdaFunction, requestTimeoutMs?: number): Promise<ApiServer> {
  const api = await ApiServer.listen(requestTimeoutMs);
  onTestFinished(() => api.close());
  api.open(
    { apiId: "api", accountId: "1", domainName: "api.test", stage: "$default", stageVariables: {} },
    [{ routeKey: "POST /events", target, timeoutMs: 30_000 }],
    undefined,
  );
  return api;
}

const event = (id: string): CloudEvent => ({
  specversion: "1.0",
  id,
  source: "/tiny",
  type: "page.viewed",
  time: "2026-01-31T12:00:00Z",
  partitionkey: "u",
  data: {},
});

/** Sends events one a request; returns how each ended. */
async function sendSingly(url: string, prefix: string, count: number): Promise<Map<string, string>> {
  const ended = new Map<string, string>();
  const end = (id: string, how: string): Map<string, string> => ended.set(id, ended.has(id) ? "twice" : how);
  const sender = new Sender({
    url,
    maxBatchEvents: 1,
    onDelivered: (events) => {
      for (const { id } of events) end(id, "delivered");
    },
    onGivenUp: ({ id }, { reason }) => end(id, reason),
    // The jitter's lower end, so that the throttled ones take no time.
    ports: { random: () => 0 },
  });
  for (let index = 0; index < count; index++) await sender.send(event(`${prefix}-${index}`));
  await sender.close(3_600_000);
  return ended;
}

test(`${SENDERS * EVENTS_PER_SENDER} requests of one event each: every event ends once, and was taken once`, async () => {
  const taken = new Map<string, number>();
  const api = await openApi(door(taken));

  const ends = await Promise.all(
    Array.from({ length: SENDERS }, (_, index) =>
      sendSingly(`${api.url}/events`, String(index), EVENTS_PER_SENDER),
    ),
  );

  const ended = ends.flatMap((of) => [...of]);
  expect(ended).toHaveLength(SENDERS * EVENTS_PER_SENDER);
  expect(ended.filter(([, how]) => how !== "delivered")).toEqual([]);
  expect([...taken.keys()].toSorted()).toEqual(ended.map(([id]) => id).toSorted());
  expect([...taken.values()].filter((times) => times !== 1)).toEqual([]);
}, 300_000);

/** A client that says this much, and then nothing more. */
async function unfinished(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

test("those who never finish their requests keep nobody else waiting, nor the server from closing", async () => {
  const api = await openApi(door(new Map()));
  const head = "POST /events HTTP/1.1\r\nhost: api.test\r\n";
  const texts = ["", "POST /ev", head, `${head}content-length: 100\r\n\r\n[`];
  const sockets = await Promise.all(
    Array.from({ length: 200 }, (_, index) => unfinished(api.url, texts[index % texts.length]!)),
  );
  const closed = sockets.map((socket) => once(socket, "close"));

  const ended = await sendSingly(`${api.url}/events`, "after", 50);
  expect([...ended.values()].filter((how) => how === "delivered")).toHaveLength(50);
  expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);

  await api.close();
  await Promise.all(closed);
});

test("one who sends its body byte by byte is closed when its time is over, and keeps nobody else waiting", async () => {
  const api = await openApi(door(new Map()), 200);
  const head = "POST /events HTTP/1.1\r\nhost: api.test\r\ncontent-length: 1000000\r\n\r\n";
  const closed = Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = await unfinished(api.url, head);
      const drip = setInterval(() => socket.write("["), 1);
      // What is written while the other end closes is refused; that it closed is what counts.
      socket.on("error", () => {});
      return new Promise<void>((resolve) => {
        socket.on("close", () => {
          clearInterval(drip);
          resolve();
        });
      });
    }),
  );
  const ended = await sendSingly(`${api.url}/events`, "meanwhile", 50);
  expect([...ended.values()].filter((how) => how === "delivered")).toHaveLength(50);
  expect(await closed).toHaveLength(50);
});

test("one who stops in the middle is told 408 when its time is over, and others are served meanwhile", async () => {
  const api = await openApi(door(new Map()), 200);
  const socket = await unfinished(
    api.url,
    "POST /events HTTP/1.1\r\nhost: api.test\r\ncontent-length: 9\r\n\r\n[",
  );
  const answer = socket.toArray();
  const ended = await sendSingly(`${api.url}/events`, "meanwhile", 50);
  expect([...ended.values()].filter((how) => how === "delivered")).toHaveLength(50);
  expect(Buffer.concat(await answer).toString()).toMatch(/^HTTP\/1\.1 408 /);
});
