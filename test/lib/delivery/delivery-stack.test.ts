import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { environmentConfig, environmentNames } from "../../../lib/config/environments.ts";
import { DeliveryStack } from "../../../lib/delivery/delivery-stack.ts";
import { allowed, resources, theResource } from "../synthesize.ts";

const template = (environment: string, hasOidcProvider = false): Template =>
  Template.fromStack(
    // CDK's own rules take longer than all the rest; bin/ has them on.
    new DeliveryStack(new App({ builtinCloudFormationValidation: false }), environmentConfig(environment), {
      repository: "acme/spillway",
      hasOidcProvider,
    }),
  );

describe.each(environmentNames)("who may deploy %s", (environment) => {
  let stack: Template;
  beforeAll(() => {
    stack = template(environment);
  });

  test("is that GitHub environment of that repository, by GitHub's token for AWS", () => {
    const { AssumeRolePolicyDocument } = theResource(stack, "AWS::IAM::Role").Properties;

    expect(AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: { Federated: { "Fn::GetAtt": ["GitHub", "Arn"] } },
        Condition: {
          StringEquals: {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": `repo:acme/spillway:environment:${environment}`,
          },
        },
      },
    ]);
  });

  test("may use the roles of the bootstrap and run the smoke test, and nothing else", () => {
    const statements = allowed(stack, "DeployRole");

    expect(statements.flatMap(({ actions }) => actions).toSorted()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
      "execute-api:Invoke",
      "sqs:SendMessage",
      "sts:AssumeRole",
    ]);
    const [assume] = statements.filter(({ actions }) => actions.includes("sts:AssumeRole"));
    expect(assume!.resources).toHaveLength(4);
    for (const resource of assume!.resources) {
      expect(resource).toMatch(/:role\/cdk-hnb659fds-(deploy|file-publishing|image-publishing|lookup)-role-/);
      expect(resource).not.toContain("*");
    }
  });
});

test("takes the identity provider that an account has already", () => {
  const taken = template("dev", true);

  expect(resources(taken, "AWS::IAM::OIDCProvider")).toEqual([]);
  expect(JSON.stringify(taken.toJSON())).toContain(":oidc-provider/token.actions.githubusercontent.com");
});

test("a repository that is none is refused: its role would trust nobody, or others", () => {
  for (const repository of ["", "acme", "acme/*", "acme/spillway:ref"]) {
    expect(
      () => new DeliveryStack(new App(), environmentConfig("dev"), { repository, hasOidcProvider: false }),
    ).toThrow(/repository is .* must be owner\/name/);
  }
});
