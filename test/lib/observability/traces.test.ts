import { expect, test } from "vitest";
import { environmentConfig } from "../../../lib/config/environments.ts";
import { allowed, resources, synthesize } from "../synthesize.ts";
import { toTrace } from "./to-trace.ts";

const dev = environmentConfig("dev");
const WRITE = new Set(toTrace);

test("without a rate nothing is told of traces, and nothing may write any", () => {
  const templates = synthesize({ config: { ...dev, tracing: { sampleRate: 0 } } });
  const text = Object.values(templates)
    .map((template) => JSON.stringify(template.toJSON()))
    .join();

  expect(text).not.toContain("xray:");
  expect(text).not.toContain("SPILLWAY_OTLP_ENDPOINT");
  expect(text).not.toContain("SPILLWAY_TRACE_SAMPLE_RATE");
});

test("whatever is told where traces go may write them there, and nothing else may", () => {
  const templates = Object.values(synthesize({ config: dev }));
  const told = templates.flatMap((template) =>
    resources(template, "AWS::Lambda::Function").filter(
      ({ Properties }) => Properties.Environment?.Variables?.SPILLWAY_OTLP_ENDPOINT !== undefined,
    ),
  );
  const roles = told.map(({ Properties }) => Properties.Role["Fn::GetAtt"][0] as string);
  const services = templates.flatMap((template) => resources(template, "AWS::ECS::TaskDefinition"));

  expect(roles.length).toBeGreaterThan(4);
  for (const role of roles) {
    const actions = templates
      .flatMap((template) => allowed(template, role))
      .flatMap(({ actions: all }) => all);
    expect(actions.filter((action) => WRITE.has(action))).toEqual(toTrace);
  }
  const grants = templates
    .flatMap((template) => resources(template, "AWS::IAM::Policy"))
    .filter(({ Properties }) => JSON.stringify(Properties.PolicyDocument).includes("xray:"));
  expect(grants).toHaveLength(roles.length + services.length);
});
