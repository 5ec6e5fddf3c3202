import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, expect, test, vi } from "vitest";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test("a request that is never answered is given up, not only warned about", async () => {
  const silent = createServer(() => undefined);
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", `http://127.0.0.1:${port}`);
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const client = createDynamoDBClient();

  const asked = once(silent, "request");
  const answer = client.send(new GetItemCommand({ TableName: "table", Key: { pk: { S: "key" } } }));
  const refused = expect(answer).rejects.toMatchObject({ name: "TimeoutError" });
  await asked;
  await vi.advanceTimersByTimeAsync(5_000);

  await refused;
  client.destroy();
  silent.closeAllConnections();
  silent.close();
});
