/** Who may write what into the signals table, whose partition key is the stage that speaks. */
import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, expect, test } from "vitest";
import { stagesOf } from "../../../lib/processing/pipeline.ts";
import { pipelines } from "../../../processors/pipelines/all.ts";
import { dev, resources, synthesize, type Templates } from "../synthesize.ts";

interface Writer {
  readonly role: string;
  readonly stages: readonly string[];
}

const door = {
  name: "partner",
  producerAccount: "111111111111",
  eventTypes: ["flight.departed"],
  shards: 1,
  retentionHours: 72,
  function: dev.spillway.forward,
  batchRecords: 100,
} as const;

let templates: Templates;
let writers: readonly Writer[];
beforeAll(() => {
  templates = synthesize({ config: { ...dev, doors: [door] } });
  writers = Object.values(templates).flatMap(writersOf);
});

/** Every statement that lets somebody change an item of the table, with the keys that it is bound to. */
function writersOf(template: Template): readonly Writer[] {
  return resources(template, "AWS::IAM::Policy").flatMap(({ Properties }) =>
    // biome-ignore lint/suspicious/noExplicitAny: a template has no types.
    Properties.PolicyDocument.Statement.filter((statement: any) => {
      const isChange = [statement.Action].flat().some((action) => /^dynamodb:(?!Scan$)/.test(action));
      return isChange && JSON.stringify(statement.Resource).includes("SignalsTable");
      // biome-ignore lint/suspicious/noExplicitAny: a template has no types.
    }).map((statement: any) => {
      expect(statement.Action).toBe("dynamodb:PutItem");
      // Without it the other condition would hold of a request without a key.
      expect(statement.Condition.Null).toEqual({ "dynamodb:LeadingKeys": "false" });
      const stages = statement.Condition["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"];
      return { role: Properties.Roles[0].Ref, stages: [stages].flat() };
    }),
  );
}

const stagesOfRole = (start: string): readonly string[] =>
  writers.filter(({ role }) => role.startsWith(start)).flatMap(({ stages }) => stages);

test("each function speaks under its own name only", () => {
  expect(stagesOfRole("IngestRole")).toEqual(["ingest"]);
  expect(stagesOfRole("ForwardRole")).toEqual(["forward"]);
  expect(stagesOfRole("HighForwardRole")).toEqual(["forward-high"]);
  expect(stagesOfRole("SinkFunctionRole")).toEqual(["sink"]);
  expect(stagesOfRole("Doorpartner")).toEqual(["door-partner"]);
});

test("the processors of all services together speak for each stage of each pipeline, one service for each", () => {
  const functions = ["IngestRole", "ForwardRole", "HighForwardRole", "SinkFunctionRole", "Doorpartner"];
  const services = writers.filter(({ role }) => functions.every((start) => !role.startsWith(start)));
  const spoken = services.flatMap(({ stages }) => stages);
  expect(spoken.toSorted()).toEqual(
    pipelines
      .flatMap(stagesOf)
      .map(({ name }) => name)
      .toSorted(),
  );
});
