import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freePort } from "../../../local/links/ports.ts";

vi.mock("node:crypto", { spy: true });

const holder = createServer();
let taken: number;

beforeEach(async () => {
  holder.listen(0, "127.0.0.1");
  await once(holder, "listening");
  taken = (holder.address() as AddressInfo).port;
});

afterEach(async () => {
  vi.mocked(randomInt).mockReset();
  holder.close();
  await once(holder, "close");
});

test("a port that somebody holds is passed over", async () => {
  vi.mocked(randomInt).mockImplementationOnce(() => taken);

  expect(await freePort()).not.toBe(taken);
});

test("where every port is held, the error says which range, and what to do", async () => {
  vi.mocked(randomInt).mockImplementation(() => taken);

  await expect(freePort()).rejects.toThrow(
    /No free port on 127\.0\.0\.1 .* between 20000 and 32000\. Stop what holds/,
  );
});
