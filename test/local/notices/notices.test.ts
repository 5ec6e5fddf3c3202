/** What notices go through locally: PutEvents to a rule's function, a secret, and the receiver of the webhook. */
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { InvokeResult, LambdaFunction } from "../../../local/functions/function.ts";
import { EventBuses } from "../../../local/notices/event-bus.ts";
import { NoticesApi } from "../../../local/notices/notices-api.ts";
import { WebhookReceiver } from "../../../local/notices/webhook-receiver.ts";

const ARN = "arn:aws:secretsmanager:eu-west-1:000000000000:secret/webhook";

let api: NoticesApi;
let events: Record<string, unknown>[];
let said: string[];
let results: InvokeResult[];

const settings = () => ({
  endpoint: api.url,
  region: "eu-west-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

beforeEach(async () => {
  [events, said, results] = [[], [], []];
  const target = {
    invoke: async (payload: string): Promise<InvokeResult> => {
      events.push(JSON.parse(payload));
      return results.shift() ?? { kind: "answer", payload: "null" };
    },
  } as unknown as LambdaFunction;
  const rule = { name: "Webhook", bus: "notices", sources: ["spillway"], targets: [target] };
  api = await NoticesApi.listen();
  api.open(new EventBuses([rule], "eu-west-1", (line) => void said.push(line)), new Map([[ARN, "secret"]]));
});
afterEach(() => api.close());

const entry = (EventBusName: string, Source: string) => ({
  EventBusName,
  Source,
  DetailType: "type",
  Detail: '{"id":"1"}',
});

it("gives what is put on a bus to the functions of the rules that it fits, and says where one fails", async () => {
  const client = new EventBridgeClient(settings());
  results.push({ kind: "answer", payload: "null" }, { kind: "throttled" });
  const answer = await client.send(
    new PutEventsCommand({
      Entries: [
        entry("notices", "spillway"),
        entry("arn:aws:events:eu-west-1:000000000000:event-bus/notices", "spillway"),
        entry("notices", "other"),
        entry("default", "spillway"),
      ],
    }),
  );
  client.destroy();
  await vi.waitFor(() => expect(said).toHaveLength(1));

  expect(answer.Entries!.map(({ EventId }) => typeof EventId)).toEqual(Array(4).fill("string"));
  expect(events).toHaveLength(2);
  expect(events[0]).toMatchObject({
    id: answer.Entries![0]!.EventId,
    source: "spillway",
    "detail-type": "type",
    detail: { id: "1" },
  });
  expect(said).toEqual([expect.stringContaining("Webhook: its function failed (throttled)")]);
});

it("answers the current version of a secret, and that there is no other", async () => {
  const client = new SecretsManagerClient(settings());
  const value = (VersionStage: string) =>
    client.send(new GetSecretValueCommand({ SecretId: ARN, VersionStage }));
  expect((await value("AWSCURRENT")).SecretString).toBe("secret");
  await expect(value("AWSPREVIOUS")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  client.destroy();
});

it("remembers what the webhook received, in its order", async () => {
  const receiver = await WebhookReceiver.listen();
  for (const body of ["1", "2"]) {
    const response = await fetch(receiver.url, { method: "POST", headers: { "webhook-id": body }, body });
    expect(response.status).toBe(204);
  }
  const received = (await (await fetch(receiver.url)).json()) as { headers: object; body: string }[];
  await receiver.close();
  expect(received).toMatchObject([
    { headers: { "webhook-id": "1" }, body: "1" },
    { headers: { "webhook-id": "2" }, body: "2" },
  ]);
});
