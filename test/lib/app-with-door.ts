/** The CDK app with a Kinesis door, which the environment dev has not: what an end-to-end test synthesizes. */
import { spillwayApp } from "../../lib/app.ts";
import { environmentConfig } from "../../lib/config/environments.ts";
import { addPlatform } from "../../lib/platform.ts";
import { pipelines } from "../../processors/pipelines/all.ts";

const app = spillwayApp();
const dev = environmentConfig("dev");
const door = {
  name: "partner",
  producerAccount: "111111111111",
  eventTypes: ["flight.departed"],
  shards: 1,
  retentionHours: 72,
  function: dev.spillway.forward,
  batchRecords: 100,
} as const;
addPlatform(app, { ...dev, doors: [door] }, pipelines);
app.synth();
