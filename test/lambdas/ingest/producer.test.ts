/** Who sent an event is what the gateway says, and decides what may be sent. */
import { describe, expect, it, test } from "vitest";
import { producer, producerOf } from "../../../lambdas/ingest/producer.ts";
import { send } from "../support/door.ts";
import { batch, flight, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

const rules = [
  { principal: "arn:aws:iam::111111111111:role/airline", eventTypes: ["flight.departed"] },
  { principal: "arn:aws:iam::222222222222:user/everything", eventTypes: "any" },
] as const;

const iam = (userArn: string) => ({ authorizer: { iam: { userArn } } });
const jwt = (claims: Record<string, unknown>, scopes?: string[]) => ({
  authorizer: { jwt: { claims: { sub: "client-1", ...claims }, ...(scopes && { scopes }) } },
});

describe("what a caller may send", () => {
  it.each([
    ["a role's session", iam("arn:aws:sts::111111111111:assumed-role/airline/session-1"), rules, true],
    ["a user", iam("arn:aws:iam::222222222222:user/everything"), rules, true],
    ["a role of another account", iam("arn:aws:sts::333333333333:assumed-role/airline/s"), rules, false],
    ["a role that has no rule", iam("arn:aws:sts::111111111111:assumed-role/shop/s"), rules, false],
    ["anybody where there are no rules", iam("arn:aws:sts::1:assumed-role/shop/s"), [], true],
    ["an unsigned caller", undefined, rules, false],
    ["a token with the type's scope", jwt({ scope: "openid events:flight.departed" }), rules, true],
    ["a token whose scopes the gateway lists", jwt({}, ["events:flight.departed"]), rules, true],
    ["a token whose scopes the gateway writes as a list", jwt({ scp: "[openid events:*]" }), rules, true],
    ["a token with another type's scope", jwt({ scope: "events:page.viewed" }), [], false],
    ["a token without scopes", jwt({}), [], false],
  ])("%s", (_, context, someRules, allowed) => {
    expect(producerOf(context, someRules).maySend("flight.departed")).toBe(allowed);
  });
});

test("an event of a type that its sender may not send is refused, and stops no other", async () => {
  const page = {
    ...flight,
    type: "page.viewed",
    partitionkey: "u",
    data: { userId: "u", path: "/", device: "mobile" },
  };
  const sender = producer("airline", ["flight.departed"]);
  expect(await send(batch([page, flight]), new FakeKafka(), { sender })).toMatchObject({
    status: 202,
    body: { accepted: 1, results: [{ problem: { status: 403, field: "/type" } }, { status: "accepted" }] },
  });
  expect((await send(structured(page), new FakeKafka(), { sender })).status).toBe(403);
});

test("who sent an event is in its record's headers, also through the spillway, and a sender cannot say it", async () => {
  const kafka = new FakeKafka();
  const sender = producer("arn:aws:iam::1:role/airline", "any");
  const request = structured({ ...flight, producer: "forged" });
  const forged = { ...request, headers: { ...request.headers, "spillway-producer": "forged" } };
  await send(forged, kafka, { sender });
  expect(kafka.messages[0]!.message.headers).toMatchObject({
    "spillway-producer": "arn:aws:iam::1:role/airline",
  });

  const stream = new FakeStream();
  kafka.next.push(() => Promise.reject(new Error("away")));
  await send(forged, kafka, { sender, stream, remainingMs: 1_050 });
  expect(stream.batches[0]).toMatchObject({ producer: "arn:aws:iam::1:role/airline" });
});
