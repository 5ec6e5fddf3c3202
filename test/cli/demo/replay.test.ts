/** The replay against a door that refuses, breaks off and recovers. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { replay } from "../../../cli/demo/replay.ts";
import type { EventBatch } from "../../../cli/flights/flights.ts";

async function* batchesOf(count: number): AsyncGenerator<EventBatch> {
  for (let i = 0; i < count; i++)
    yield { partition: i % 2, count: 1, body: JSON.stringify([{ id: String(i) }]) };
}

/** Runs a replay of ten batches of one event against a server with this listener. */
async function replayAgainst(listener: RequestListener, signal = new AbortController().signal) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const seen = { accepted: 0, retries: [] as string[] };
  try {
    await replay({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
      batches: batchesOf(10),
      onAccepted: (events) => {
        seen.accepted += events;
      },
      onRetry: (why) => {
        seen.retries.push(why);
      },
      signal,
    });
    return seen;
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Answers 202 to a batch of one event, after reading it. */
const accept: RequestListener = (request, response) => {
  request.resume().on("end", () => response.writeHead(202).end(JSON.stringify({ accepted: 1, results: [] })));
};

test("a batch that meets 503, 429 or a broken connection is sent again until it is accepted", async () => {
  let requests = 0;
  const seen = await replayAgainst((request, response) => {
    requests += 1;
    if (requests === 2) response.writeHead(503, { "retry-after": "0" }).end();
    else if (requests === 4) response.writeHead(429).end();
    else if (requests === 6) request.socket.destroy();
    else accept(request, response);
  });

  expect(seen.accepted).toBe(10);
  expect(requests).toBe(13);
  expect(seen.retries).toHaveLength(3);
  expect(seen.retries).toEqual(expect.arrayContaining(["status 503", "status 429"]));
});

test("a partition's batches arrive in order, whatever has to be sent again", async () => {
  const arrived: number[][] = [[], []];
  let requests = 0;
  await replayAgainst((request, response) => {
    requests += 1;
    if (requests % 3 === 0) {
      response.writeHead(503).end();
      return;
    }
    request.on("data", (body: Buffer) => {
      const id = Number(JSON.parse(String(body))[0].id);
      arrived[id % 2]!.push(id);
    });
    accept(request, response);
  });

  expect(arrived).toEqual([
    [0, 2, 4, 6, 8],
    [1, 3, 5, 7, 9],
  ]);
});

test("a refused batch ends the replay with what the door said", async () => {
  await expect(
    replayAgainst((_request, response) => response.writeHead(422).end("unknown type")),
  ).rejects.toThrow(/answered 422: unknown type/);
});

test("an event that is refused among accepted ones ends the replay", async () => {
  await expect(
    replayAgainst((_request, response) => response.writeHead(202).end(JSON.stringify({ accepted: 0 }))),
  ).rejects.toThrow(/accepted 0 of 1 valid events/);
});

test("stopping it ends it with the reason", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  await expect(
    replayAgainst((_request, response) => {
      stop.abort(reason);
      response.writeHead(503).end();
    }, stop.signal),
  ).rejects.toBe(reason);
});
