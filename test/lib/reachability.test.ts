/** Every function, service and mapping reaches what it calls; and each rule and route is one that something needs. */
import { beforeAll, describe, expect, test } from "vitest";
import { environmentConfig, environmentNames } from "../../lib/config/environments.ts";
import { type StackTemplate, unreachable } from "./reachability.ts";
import { synthesize } from "./synthesize.ts";

type StackTemplates = Record<string, StackTemplate>;

const templatesOf = (environment: string): StackTemplates =>
  Object.fromEntries(
    Object.entries(synthesize({ config: environmentConfig(environment) })).map(([stack, template]) => [
      stack,
      template.toJSON() as StackTemplate,
    ]),
  );

describe.each(environmentNames)("%s", (environment) => {
  let templates: StackTemplates;
  beforeAll(() => {
    templates = templatesOf(environment);
  });

  test("everything reaches what it calls", () => {
    expect(unreachable(templates)).toEqual([]);
  });

  test("without any rule between security groups something does not", () => {
    for (const type of ["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"]) {
      const rules = idsOf(templates, type);
      expect(rules.length).toBeGreaterThan(4);
      for (const id of rules)
        expect([id, unreachable(without(templates, id)).length > 0]).toEqual([id, true]);
    }
  });
});

describe("in a copy of dev", () => {
  let templates: StackTemplates;
  beforeAll(() => {
    templates = templatesOf("dev");
  });

  test("whose brokers do not let their own group in, mappings would never be polled", () => {
    const [self] = idsOf(templates, "AWS::EC2::SecurityGroupIngress").filter(
      (id) => sourceOf(templates, id) === groupOf(templates, id),
    );

    expect(unreachable(without(templates, self!))).toEqual([
      "the brokers' group does not let pollers of event source mappings in on 9098",
    ]);
  });

  test("whose private subnets have no way out, the pollers would not get to Lambda and STS", () => {
    const routes = idsOf(templates, "AWS::EC2::Route").filter((id) => /private/i.test(id));
    const faults = unreachable(routes.reduce(without, templates));

    for (const service of ["lambda", "sts"]) {
      expect(faults).toContain(
        `pollers of event source mappings has no way from network/${idsOf(templates, "AWS::EC2::Subnet").find((id) => /private/i.test(id))} to ${service}`,
      );
    }
    // The ingest function to Kinesis and the services to ECR need it too; tables and buckets do not.
    expect(faults.some((fault) => /Ingest.* to kinesis$/.test(fault))).toBe(true);
    expect(faults.some((fault) => /Service.* to ecr\.api$/.test(fault))).toBe(true);
    expect(faults.filter((fault) => /to (dynamodb|s3)$/.test(fault))).toEqual([]);
  });

  test("nor does an instance help that takes only what is addressed to it", () => {
    const checking = structuredClone(templates);
    const [id] = idsOf(checking, "AWS::EC2::Instance");
    delete checking.network!.Resources[id!]!.Properties.SourceDestCheck;

    expect(unreachable(checking).length).toBeGreaterThan(0);
  });

  test("nor does a NAT help whose own subnet leads nowhere", () => {
    const routes = idsOf(templates, "AWS::EC2::Route").filter((id) => /public/i.test(id));

    expect(unreachable(routes.reduce(without, templates)).length).toBeGreaterThan(0);
  });

  test("without gateway endpoints tables and buckets are reached through NAT, and without that not at all", () => {
    const endpoints = idsOf(templates, "AWS::EC2::VPCEndpoint");
    const withoutEndpoints = endpoints.reduce(without, templates);
    const routes = idsOf(templates, "AWS::EC2::Route").filter((id) => /private/i.test(id));

    expect(endpoints.length).toBeGreaterThan(1);
    expect(unreachable(withoutEndpoints)).toEqual([]);
    expect(
      unreachable(routes.reduce(without, withoutEndpoints)).some((fault) => fault.endsWith("to dynamodb")),
    ).toBe(true);
  });

  test("a function that may not speak HTTPS would reach no AWS API", () => {
    const closed = structuredClone(templates);
    const [id] = idsOf(closed, "AWS::EC2::SecurityGroup").filter((each) => each.startsWith("IngestGroup"));
    closed.network!.Resources[id!]!.Properties.SecurityGroupEgress = [];

    expect(unreachable(closed)).toContainEqual(
      expect.stringMatching(/^ingestion\/Ingest.* may not leave its group on 443 for kinesis$/),
    );
  });

  test("a function outside of the VPC would not reach the brokers", () => {
    const outside = structuredClone(templates);
    const [id] = idsOf(outside, "AWS::Lambda::Function").filter((each) => each.startsWith("SinkFunction"));
    delete outside.serving!.Resources[id!]!.Properties.VpcConfig;

    expect(unreachable(outside)).toEqual([`serving/${id} is told the brokers' addresses and is in no VPC`]);
  });
});

const idsOf = (templates: StackTemplates, type: string): string[] =>
  Object.values(templates).flatMap(({ Resources }) =>
    Object.entries(Resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id]) => id),
  );

/** A copy without the resource. */
function without(templates: StackTemplates, id: string): StackTemplates {
  return Object.fromEntries(
    Object.entries(templates).map(([stack, template]) => {
      const { [id]: _, ...Resources } = template.Resources;
      return [stack, { ...template, Resources }];
    }),
  );
}

const groupOf = ({ network }: StackTemplates, id: string): string =>
  JSON.stringify(network!.Resources[id]!.Properties.GroupId);
const sourceOf = ({ network }: StackTemplates, id: string): string =>
  JSON.stringify(network!.Resources[id]!.Properties.SourceSecurityGroupId);
