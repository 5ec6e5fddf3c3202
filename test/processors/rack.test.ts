import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { environmentVariables } from "../../contracts/environment.ts";
import { formatZones } from "../../contracts/zones.ts";
import { rackOf } from "../../processors/rack.ts";

const zones = formatZones([
  { name: "us-east-1a", id: "use1-az4" },
  { name: "us-east-1b", id: "use1-az6" },
]);

/** What ECS tells a task about itself, with what is asked of it. */
let metadata: Server;
let answer: string;
let asked: (string | undefined)[];
let unknown: Error[];
beforeEach(async () => {
  [answer, asked, unknown] = [JSON.stringify({ AvailabilityZone: "us-east-1b", Cluster: "c" }), [], []];
  metadata = createServer((request, response) => {
    asked.push(request.url);
    response.end(answer);
  });
  metadata.listen(0, "127.0.0.1");
  await once(metadata, "listening");
});
afterEach(() => metadata.close());

const rackIn = (variables: NodeJS.ProcessEnv): Promise<string | undefined> =>
  rackOf(variables, (error) => unknown.push(error));

const onEcs = (): NodeJS.ProcessEnv => ({
  ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${(metadata.address() as AddressInfo).port}/v4/task-1`,
  [environmentVariables.zones]: zones,
});

test("a task's rack is the id of the zone that ECS says it is in", async () => {
  expect(await rackIn(onEcs())).toBe("use1-az6");
  expect(asked).toEqual(["/v4/task-1/task"]);
  expect(unknown).toEqual([]);
});

test("outside of ECS there is none, and nobody is asked", async () => {
  expect(await rackIn({ [environmentVariables.zones]: zones })).toBeUndefined();
  expect(await rackIn({ ...onEcs(), [environmentVariables.zones]: undefined })).toBeUndefined();
  expect([asked, unknown]).toEqual([[], []]);
});

test.each([
  [
    "another zone",
    JSON.stringify({ AvailabilityZone: "us-east-1f" }),
    /us-east-1f, which is none of us-east-1a=/,
  ],
  ["no zone", "{}", /undefined, which is none of/],
  ["no JSON", "<html>", /JSON/],
])("where ECS says %s there is none, and why", async (_, said, why) => {
  answer = said;
  expect(await rackIn(onEcs())).toBeUndefined();
  expect(unknown).toMatchObject([{ message: expect.stringMatching(why) }]);
});
