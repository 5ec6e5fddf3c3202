/** The local gateway's JWT authorizer, and a sender whose token expires in the middle of a burst. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type Authorize, type GivenUp, Sender } from "../../../clients/sender.ts";
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import type { LambdaFunction } from "../../../local/functions/function.ts";
import { ApiServer } from "../../../local/http/api-server.ts";
import { checkToken } from "../../../local/http/jwt.ts";
import { event } from "../../clients/sending.ts";

const authorizer = { issuer: "https://issuer.test", audience: ["spillway"] };
const NOW_S = 1_769_860_800;
const BURST = 1_000;
const BATCH = 50;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims: object): string =>
  [part({ alg: "RS256" }), part({ iss: authorizer.issuer, aud: "spillway", ...claims }), "signature"].join(
    ".",
  );

describe("a token", () => {
  it("that is current is taken, and its claims are handed on as text", () => {
    const claims = { sub: "airline", exp: NOW_S + 1, scope: "events:*", scp: ["a", "b"] };
    expect(checkToken(`Bearer ${token(claims)}`, authorizer, NOW_S * 1_000)).toEqual({
      claims: {
        iss: authorizer.issuer,
        aud: "spillway",
        sub: "airline",
        exp: String(NOW_S + 1),
        scope: "events:*",
        scp: "[a b]",
      },
      scopes: null,
    });
  });

  it.each<[string, string | undefined]>([
    ["that is not there", undefined],
    ["that is none", "Bearer nonsense"],
    ["whose payload is no JSON", "Bearer a.b.c"],
    ["that has expired", token({ exp: NOW_S })],
    ["without an end", token({})],
    ["that is not valid yet", token({ exp: NOW_S + 9, nbf: NOW_S + 1 })],
    ["of another issuer", token({ exp: NOW_S + 9, iss: "https://other.test" })],
    ["for another audience", token({ exp: NOW_S + 9, aud: ["shop"] })],
  ])("%s is refused", (_, authorization) => {
    expect(checkToken(authorization, authorizer, NOW_S * 1_000)).toBeUndefined();
  });

  it("without an audience is taken for its client", () => {
    const claims = { exp: NOW_S + 9, aud: undefined, client_id: "spillway" };
    expect(checkToken(token(claims), authorizer, NOW_S * 1_000)).toBeDefined();
  });
});

/** Accepts everything of whom the gateway lets in. */
async function openDoor(taken: string[]): Promise<{ url: string; subjects: Set<string> }> {
  const subjects = new Set<string>();
  const invoke: LambdaFunction["invoke"] = async (payload) => {
    const { body, isBase64Encoded, requestContext } = JSON.parse(payload);
    subjects.add(requestContext.authorizer.jwt.claims.sub);
    const text = Buffer.from(body, isBase64Encoded ? "base64" : "utf8").toString();
    const ids = (JSON.parse(text) as CloudEvent[]).map(({ id }) => id);
    taken.push(...ids);
    const results = ids.map((id, index) => ({ index, id, status: "accepted" }));
    return {
      kind: "answer",
      payload: JSON.stringify({ statusCode: 202, body: JSON.stringify({ results }) }),
    };
  };
  const api = await ApiServer.listen();
  onTestFinished(() => api.close());
  api.open(
    { apiId: "api", accountId: "1", domainName: "api.test", stage: "$default", stageVariables: {} },
    [
      {
        routeKey: "POST /events",
        target: { invoke } as unknown as LambdaFunction,
        timeoutMs: 30_000,
        jwt: authorizer,
      },
    ],
    undefined,
  );
  return { url: `${api.url}/events`, subjects };
}

async function sendBurst(url: string, authorize: Authorize) {
  const delivered: string[] = [];
  const givenUp: [id: string, reason: GivenUp["reason"]][] = [];
  const sender = new Sender({
    url,
    authorize,
    maxBatchEvents: BATCH,
    onDelivered: (events) => delivered.push(...events.map(({ id }) => id)),
    onGivenUp: ({ id }, { reason }) => givenUp.push([id, reason]),
  });
  for (let index = 0; index < BURST; index++) await sender.send(event(String(index)));
  await sender.close(3_600_000);
  return { delivered, givenUp };
}

const inAnHour = (): string => token({ sub: "airline", exp: Math.floor(Date.now() / 1_000) + 3_600 });
const expired = token({ sub: "airline", exp: 1 });
const ids = Array.from({ length: BURST }, (_, index) => String(index));

describe("a token that expires in the middle of a burst", () => {
  it("is fetched anew, and each event is delivered once", async () => {
    const taken: string[] = [];
    const { url, subjects } = await openDoor(taken);
    let requests = 0;
    let renewals = 0;
    let kept = inAnHour();
    const { delivered, givenUp } = await sendBurst(url, (_, renew) => {
      requests += 1;
      if (renew) {
        renewals += 1;
        kept = inAnHour();
      } else if (requests === 5) kept = expired;
      return { authorization: `Bearer ${kept}` };
    });
    expect([delivered, givenUp, renewals]).toEqual([ids, [], 1]);
    expect(taken).toEqual(ids);
    expect([...subjects]).toEqual(["airline"]);
  });

  it("and cannot be had anew gives each event back, once, after two requests a batch and no more", async () => {
    const taken: string[] = [];
    const { url } = await openDoor(taken);
    let requests = 0;
    const { delivered, givenUp } = await sendBurst(url, () => {
      requests += 1;
      return { authorization: `Bearer ${requests <= 4 ? inAnHour() : expired}` };
    });
    const lost = BURST - 4 * BATCH;
    expect(delivered).toEqual(ids.slice(0, 4 * BATCH));
    expect(givenUp).toEqual(ids.slice(4 * BATCH).map((id) => [id, "unauthorized"]));
    expect(taken).toEqual(delivered);
    expect(requests).toBe(4 + 2 * (lost / BATCH));
  });
});
