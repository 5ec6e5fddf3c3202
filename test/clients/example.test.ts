/** The program in docs/sending.md, as it is shown and as it runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { problem } from "./fake-door.ts";

const example = fileURLToPath(new URL("./example.ts", import.meta.url));

test("docs/sending.md shows the example that is run here", () => {
  const docs = readFileSync(new URL("../../docs/sending.md", import.meta.url), "utf8");

  expect(docs.match(/```ts\n(.*?)```/s)![1]).toBe(readFileSync(example, "utf8"));
});

test("the example delivers its events but for the one that is refused, and ends", async () => {
  const door = createServer(async (request, response) => {
    const events = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const results = events.map((event: { data: { destination: string } }, index: number) =>
      event.data.destination === "nowhere"
        ? { index, status: "refused", problem: problem("invalid-data", 422, index) }
        : { index, status: "accepted" },
    );
    response.writeHead(202, { "content-type": "application/json" });
    response.end(JSON.stringify({ accepted: results.length - 1, results }));
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  onTestFinished(() => {
    door.closeAllConnections();
    door.close();
  });

  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}/events`;
  const child = spawn(process.execPath, [example, url], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );

  expect((await ended)[0]).toBe(0);
  const delivered = [...stdout!.matchAll(/^delivered (\d+)$/gm)].map(([, count]) => Number(count));
  expect(delivered.reduce((sum, count) => sum + count, 0)).toBe(9_999);
  expect(stderr!.match(/^gave up /gm)).toHaveLength(1);
  expect(stderr).toMatch("invalid-data");
});
