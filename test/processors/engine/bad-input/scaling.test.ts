import { expect, it } from "vitest";
import { PipelineError } from "../../../../processors/engine/pipeline/checks.ts";
import { pipeline, type ScalingOptions } from "../../../../processors/engine/pipeline/dsl.ts";

const schedule = { name: "morning", cron: "0 6 ? * MON-FRI *", timeZone: "Europe/Berlin", minTasks: 2 };
const scheduled = (changed: object): ScalingOptions => ({ schedules: [{ ...schedule, ...changed }] });

it("takes rules that can be meant", () => {
  expect(() => pipeline("p", { scaling: { targetBacklogSeconds: 30, schedules: [schedule] } })).not.toThrow();
  expect(() => pipeline("p", { scaling: scheduled({ timeZone: "UTC", minTasks: 0 }) })).not.toThrow();
});

it.each<[string, object]>([
  ["targetBacklogSeconds", { targetBacklogSeconds: 0 }],
  ["targetBacklogSeconds", { targetBacklogSeconds: Number.NaN }],
  ["targetBacklogSeconds", { targetBacklogSeconds: Number.POSITIVE_INFINITY }],
  ["targetBacklogSeconds", { targetBacklogSeconds: "10" }],
  ["schedules[0].name", scheduled({ name: "In the morning" })],
  ["schedules[0].cron", scheduled({ cron: "0 6 * * *" })],
  ["schedules[0].cron", scheduled({ cron: "daily" })],
  ["schedules[0].timeZone", scheduled({ timeZone: "Berlin" })],
  ["schedules[0].timeZone", scheduled({ timeZone: "" })],
  ["schedules[0].minTasks", scheduled({ minTasks: -1 })],
  ["schedules[0].minTasks", scheduled({ minTasks: 1.5 })],
])("refuses scaling whose %s cannot be: %j", (setting, scaling) => {
  const make = () => pipeline("p", { scaling });
  expect(make).toThrow(PipelineError);
  expect(make).toThrow(`scaling.${setting}`);
});
