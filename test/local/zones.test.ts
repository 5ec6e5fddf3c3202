import { expect, test } from "vitest";
import { taskMetadata, zoneId, zoneIdOfName, zoneNames } from "../../local/zones.ts";

test("numbers go around the zones, and a zone's name tells its id", () => {
  const names = zoneNames("eu-west-1");

  expect(names).toEqual(["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
  expect(names.map(zoneIdOfName)).toEqual([0, 1, 2].map(zoneId));
  expect([0, 1, 2, 3].map(zoneId)).toEqual(["local-az1", "local-az2", "local-az3", "local-az1"]);
});

test("a process asks for its zone as a task of ECS does", async () => {
  const { ECS_CONTAINER_METADATA_URI_V4: url } = taskMetadata("eu-west-1", 4);
  const response = await fetch(`${url}/task`);

  expect(await response.json()).toEqual({ AvailabilityZone: "eu-west-1b" });
});
