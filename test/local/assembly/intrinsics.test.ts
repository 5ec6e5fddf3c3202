import { describe, expect, it } from "vitest";
import { Resolver } from "../../../local/assembly/intrinsics.ts";
import type { Json, JsonObject } from "../../../local/assembly/json.ts";
import type { Assembly, Resource, Stack } from "../../../local/assembly/load.ts";
import { AssemblyError } from "../../../local/errors.ts";

interface Template {
  readonly parameters?: JsonObject;
  readonly conditions?: JsonObject;
  readonly mappings?: JsonObject;
  readonly outputs?: JsonObject;
}

function stackOf(name: string, template: Template = {}): Stack {
  const resources = new Map<string, Resource>();
  const stack: Stack = {
    name,
    parameters: {},
    conditions: {},
    mappings: {},
    outputs: {},
    ...template,
    resources,
  };
  resources.set("Table", { stack, logicalId: "Table", type: "AWS::DynamoDB::Table", properties: {} });
  return stack;
}

const identify = ({ logicalId, stack }: Resource, attribute?: string): Json | undefined => {
  if (attribute === "Missing") return undefined;
  return attribute === undefined ? `${stack.name}/${logicalId}` : `${logicalId}:${attribute}`;
};

function resolverOf(...stacks: Stack[]): Resolver {
  const assembly: Assembly = {
    region: "eu-west-1",
    stacks,
    fileAssets: new Map(),
    imageAssets: new Map(),
  };
  return new Resolver(assembly, "000000000000", identify);
}

describe("intrinsic functions", () => {
  const stack = stackOf("App", {
    parameters: { Version: { Type: "String", Default: "7" }, Bare: { Type: "String" } },
    conditions: {
      Here: { "Fn::Equals": [{ Ref: "AWS::Region" }, "eu-west-1"] },
      There: { "Fn::Not": [{ Condition: "Here" }] },
      Both: { "Fn::And": [{ Condition: "Here" }, { Condition: "There" }] },
      Either: { "Fn::Or": [{ Condition: "There" }, { Condition: "Here" }] },
    },
    mappings: { Sizes: { "eu-west-1": { small: 3 } } },
  });
  const other = stackOf("Base", {
    outputs: {
      Name: { Value: { Ref: "Table" }, Export: { Name: { "Fn::Sub": `\${AWS::StackName}:name` } } },
    },
  });
  const resolver = resolverOf(stack, other);

  it.each<[string, Json, Json]>([
    ["Ref of a resource", { Ref: "Table" }, "App/Table"],
    ["Ref of a parameter", { Ref: "Version" }, "7"],
    ["Ref of a pseudo parameter", { Ref: "AWS::AccountId" }, "000000000000"],
    ["Fn::GetAtt as a list", { "Fn::GetAtt": ["Table", "Arn"] }, "Table:Arn"],
    ["Fn::GetAtt as text", { "Fn::GetAtt": "Table.Nested.Name" }, "Table:Nested.Name"],
    ["Fn::Join", { "Fn::Join": ["-", ["a", { Ref: "Version" }, 1]] }, "a-7-1"],
    ["Fn::Split and Fn::Select", { "Fn::Select": [1, { "Fn::Split": ["/", { Ref: "Table" }] }] }, "Table"],
    [
      "Fn::Sub",
      { "Fn::Sub": `\${Table}/\${Table.Arn}/\${AWS::Region}/\${!Kept}` },
      `App/Table/Table:Arn/eu-west-1/\${Kept}`,
    ],
    ["Fn::Sub with variables", { "Fn::Sub": [`\${x}-\${Version}`, { x: { Ref: "Table" } }] }, "App/Table-7"],
    ["Fn::ImportValue", { "Fn::ImportValue": "Base:name" }, "Base/Table"],
    ["Fn::If that holds", { "Fn::If": ["Here", "yes", { Ref: "Nothing" }] }, "yes"],
    ["Fn::If of a conjunction", { "Fn::If": ["Both", "yes", "no"] }, "no"],
    ["Fn::If of a disjunction", { "Fn::If": ["Either", "yes", "no"] }, "yes"],
    ["Fn::FindInMap", { "Fn::FindInMap": ["Sizes", { Ref: "AWS::Region" }, "small"] }, 3],
    ["Fn::Base64", { "Fn::Base64": "hi" }, "aGk="],
    ["AWS::NoValue in an object", { a: { Ref: "AWS::NoValue" }, b: 1 }, { b: 1 }],
    ["AWS::NoValue in a list", [{ Ref: "AWS::NoValue" }, 2], [2]],
    ["a plain object", { Ref: "Table", More: true }, { Ref: "Table", More: true }],
  ])("resolves %s", (_, value, expected) => {
    expect(resolver.resolve(stack, value, "here")).toEqual(expected);
  });

  it.each<[string, Json, RegExp]>([
    ["an unknown resource", { Ref: "Nothing" }, /no resource or parameter Nothing/],
    [
      "an attribute that has no value here",
      { "Fn::GetAtt": ["Table", "Missing"] },
      /no local value for Missing/,
    ],
    ["a parameter without a default", { Ref: "Bare" }, /Bare has no default/],
    ["an export that no stack has", { "Fn::ImportValue": "nobody" }, /no stack exports nobody/],
    ["a function it does not know", { "Fn::Transform": {} }, /Fn::Transform is not supported/],
    ["an item that is not there", { "Fn::Select": [3, ["a"]] }, /no item 3/],
  ])("refuses %s", (_, value, message) => {
    expect(() => resolver.resolve(stack, value, "here")).toThrow(message);
  });

  it("names stack, resource and path of what it cannot resolve", () => {
    const broken = stackOf("Broken");
    const resource: Resource = {
      stack: broken,
      logicalId: "Function",
      type: "AWS::Lambda::Function",
      properties: { Environment: { Variables: { URL: { "Fn::GetAtt": ["Table", "Missing"] } } } },
    };
    const resolve = (): unknown => resolverOf(broken).properties(resource);
    expect(resolve).toThrow(AssemblyError);
    expect(resolve).toThrow(/Stack Broken, resource Function, Properties\.Environment\.Variables\.URL/);
  });

  it("leaves out a resource whose condition does not hold", () => {
    const resource: Resource = { stack, logicalId: "X", type: "T", properties: {}, condition: "There" };
    expect(resolver.exists(resource)).toBe(false);
    expect(resolver.exists({ ...resource, condition: "Here" })).toBe(true);
  });
});
