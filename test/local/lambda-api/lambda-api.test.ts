/** Lambda's API on this machine, as Lambda's own client sees it. */
import {
  GetEventSourceMappingCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LambdaApi } from "../../../local/lambda-api/lambda-api.ts";
import { EventSourceMapping } from "../../../local/mappings/event-source-mapping.ts";
import { eventually } from "../run.ts";

const UUID = "Stack-Mapping";

let api: LambdaApi;
let client: LambdaClient;
let mapping: EventSourceMapping;
/** What the pollers were told, in order. */
let told: string[];
let startFailures: number;

async function serve(changeMs: number): Promise<void> {
  const makePoller = () => ({
    start: async () => {
      if (startFailures-- > 0) throw new Error("the stream is away");
      told.push("start");
    },
    stop: async () => void told.push("stop"),
  });
  mapping = new EventSourceMapping({
    uuid: UUID,
    sourceArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/s",
    functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:f",
    batchSize: 7,
    enabled: true,
    makePoller,
    changeMs,
    warn: (line) => void told.push(line),
  });
  await mapping.start();
  api.open([mapping]);
}

beforeEach(async () => {
  told = [];
  startFailures = 0;
  api = await LambdaApi.listen();
  client = new LambdaClient({
    endpoint: api.url,
    region: "eu-west-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await mapping.stop();
  await api.close();
});

const update = (Enabled: boolean) => client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
const state = async () => (await client.send(new GetEventSourceMappingCommand({ UUID }))).State;
const reached = (wanted: string) => eventually(async () => (await state()) === wanted || undefined);

it("describes a mapping", async () => {
  await serve(0);
  expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
    UUID,
    BatchSize: 7,
    State: "Enabled",
    LastModified: new Date(mapping.modifiedMs),
    EventSourceArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/s",
    FunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:f",
  });
});

it("disables and enables it: each takes a while, and its poller ends and another begins", async () => {
  await serve(0);
  expect((await update(false)).State).toBe("Disabling");
  await reached("Disabled");
  expect((await update(true)).State).toBe("Enabling");
  await reached("Enabled");
  expect((await update(true)).State).toBe("Enabled");
  expect(told).toEqual(["start", "stop", "start"]);
});

it("refuses an update while one is under way", async () => {
  await serve(3_600_000);
  await update(false);
  await expect(update(true)).rejects.toMatchObject({ name: "ResourceInUseException" });
  expect(await state()).toBe("Disabling");
  expect(told).toEqual(["start"]);
});

it("enables it as soon as its source is there", async () => {
  await serve(0);
  await update(false);
  await reached("Disabled");
  startFailures = 1;
  await update(true);
  await reached("Enabled");
  expect(told).toEqual(["start", "stop", expect.stringContaining("the stream is away"), "start"]);
});

it("refuses what it does not serve, and what there is not", async () => {
  await serve(0);
  const unknown = new GetEventSourceMappingCommand({ UUID: "other" });
  await expect(client.send(unknown)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  const batch = new UpdateEventSourceMappingCommand({ UUID, BatchSize: 1 });
  await expect(client.send(batch)).rejects.toMatchObject({ name: "InvalidParameterValueException" });
  await expect(client.send(new ListFunctionsCommand({}))).rejects.toMatchObject({
    name: "NotImplementedException",
  });
});
