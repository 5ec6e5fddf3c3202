/** A webhook that is delivered: its signature, its attempts, its secrets. */
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  type GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Notice } from "../../../contracts/notices.ts";
import { ATTEMPTS, deliver } from "../../../lambdas/webhook/deliver.ts";
import { WebhookSecrets } from "../../../lambdas/webhook/secrets.ts";
import { keyOf, signatureOf } from "../../../lambdas/webhook/signature.ts";
import { verified } from "./example.ts";

const SECRET = "A".repeat(64);
const PREVIOUS = "B".repeat(64);

const notice: Notice = {
  specversion: "1.0",
  id: "notice-1",
  source: "urn:spillway:dev:fraud-signals",
  type: "spillway.result.fraud-signals",
  subject: "zoë",
  datacontenttype: "application/json",
  data: {
    key: "zoë",
    window: { start: "2001-01-31T00:00:00.000Z", end: "2001-01-31T01:00:00.000Z" },
    value: { amountMinor: 1 },
    revision: 1,
  },
};

it("is verified as docs/serving.md shows", () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
  expect(read("../../../docs/serving.md").match(/```ts\n(.*?)```/s)![1]).toBe(read("./example.ts"));
});

describe("a signature", () => {
  it("is that of the specification's example", () => {
    const body = '{"test": 2432232314}';
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    expect(signatureOf([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  it("is made with a secret that is long enough", () => {
    expect(keyOf(SECRET)).toHaveLength(48);
    expect(() => keyOf("whsec_c2hvcnQ=")).toThrow(RangeError);
  });
});

describe("a delivery", () => {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const answers: (number | "hang up")[] = [];
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      received.push({ headers: request.headers, body: await text(request) });
      const answer = answers.shift() ?? 204;
      if (answer === "hang up") request.socket.destroy();
      else response.writeHead(answer, answer === 302 ? { location: url } : {}).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notices`;
  });
  afterAll(() => void server.close());
  beforeEach(() => {
    received.length = 0;
    answers.length = 0;
  });

  const headersOf = (index = 0) => new Headers(received[index]!.headers as Record<string, string>);

  it("is a CloudEvent that a receiver verifies, with its secret or the one before it", async () => {
    await deliver(notice, { url, secrets: [SECRET, PREVIOUS] });

    const [{ body, headers }] = received as [{ body: string; headers: IncomingHttpHeaders }];
    expect(headers["content-type"]).toBe("application/cloudevents+json");
    expect(headers["webhook-id"]).toBe(notice.id);
    for (const secret of [SECRET, PREVIOUS, `whsec_${SECRET}`]) {
      expect(verified(secret, headersOf(), body, Date.now())).toEqual(notice);
    }
    expect(verified("C".repeat(64), headersOf(), body, Date.now())).toBeUndefined();
    expect(verified(SECRET, headersOf(), `${body} `, Date.now())).toBeUndefined();
    expect(verified(SECRET, headersOf(), body, Date.now() + 301_000)).toBeUndefined();
    const other = headersOf();
    other.set("webhook-id", "notice-2");
    expect(verified(SECRET, other, body, Date.now())).toBeUndefined();
  });

  it("is tried again where the receiver fails, under the same id", async () => {
    answers.push(503, "hang up");
    await deliver(notice, { url, secrets: [SECRET] });
    expect(received.map(({ headers }) => headers["webhook-id"])).toEqual(Array(3).fill(notice.id));
  });

  it.each([
    [500, /answered 500/] as const,
    [302, /answered 302/] as const,
    ["hang up", /not be reached/] as const,
  ])(
    "fails after its attempts where the receiver goes on to answer %s, without a word of the notice",
    async (answer, message) => {
      answers.push(...Array(ATTEMPTS).fill(answer));
      const failure = await deliver(notice, { url, secrets: [SECRET] }).catch((error: Error) => error);
      expect(failure).toMatchObject({ code: "WEBHOOK_REFUSED", message: expect.stringMatching(message) });
      expect(String(failure)).not.toContain("zoë");
      expect(received).toHaveLength(ATTEMPTS);
    },
  );
});

describe("the secrets", () => {
  function clientWith(versions: Readonly<Record<string, string>>) {
    const asked: string[] = [];
    const client = new SecretsManagerClient({ region: "eu-central-1" });
    client.send = (async ({ input }: GetSecretValueCommand) => {
      asked.push(input.VersionStage!);
      const SecretString = versions[input.VersionStage!];
      if (SecretString === undefined) {
        throw new ResourceNotFoundException({ message: "no such version", $metadata: {} });
      }
      return { SecretString };
    }) as never;
    return { client, asked };
  }

  it("are the current one, and the one before it where there is any", async () => {
    const fresh = new WebhookSecrets(clientWith({ AWSCURRENT: SECRET }).client, "id");
    expect(await fresh.read(0)).toEqual([SECRET]);
    const rotated = clientWith({ AWSCURRENT: SECRET, AWSPREVIOUS: PREVIOUS });
    expect(await new WebhookSecrets(rotated.client, "id").read(0)).toEqual([SECRET, PREVIOUS]);
  });

  it("are read again after five minutes, and missed where there is no current one", async () => {
    const { client, asked } = clientWith({ AWSCURRENT: SECRET });
    const secrets = new WebhookSecrets(client, "id");
    for (const nowMs of [0, 299_999, 300_000]) await secrets.read(nowMs);
    expect(asked).toHaveLength(4);
    await expect(new WebhookSecrets(clientWith({}).client, "id").read(0)).rejects.toThrow("no such version");
  });
});
