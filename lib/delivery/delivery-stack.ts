import { Arn, ArnFormat, CfnOutput, Duration, Stack, Token } from "aws-cdk-lib";
import { CfnOIDCProvider, FederatedPrincipal, PolicyStatement, Role } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { EnvironmentConfigError } from "../config/environment-config-error.ts";

export interface DeliveryStackProps {
  /** On GitHub: `owner/name`. */
  readonly repository: string;
  /** Whether the account has GitHub's identity provider already; there can be one only. */
  readonly hasOidcProvider: boolean;
}

const ISSUER = "token.actions.githubusercontent.com";
const AUDIENCE = "sts.amazonaws.com";
/** `cdk bootstrap`'s default, in the names of its roles. */
const BOOTSTRAP_QUALIFIER = "hnb659fds";
/** What a deployment uses: CloudFormation's role is passed on by the first of them. */
const BOOTSTRAP_ROLES = ["deploy", "file-publishing", "image-publishing", "lookup"];

/**
 * Who may deploy an environment from GitHub: a role that only that GitHub environment of one repository can assume, by its
 * OIDC token, and that can do nothing itself but use the roles of `cdk bootstrap` and run the smoke test. It is in an app of
 * its own, deployed by hand: what deploys must not be able to change who may.
 */
export class DeliveryStack extends Stack {
  constructor(
    scope: Construct,
    config: EnvironmentConfig,
    { repository, hasOidcProvider }: DeliveryStackProps,
  ) {
    super(scope, `Spillway-${config.name}-Delivery`, {
      env: { account: config.account, region: config.region },
      description: `Spillway (${config.name}): who may deploy it`,
      terminationProtection: config.removalPolicy === "retain",
    });
    if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
      throw new EnvironmentConfigError("repository", repository, "owner/name of the GitHub repository");
    }
    const role = new Role(this, "DeployRole", {
      description: `Deploys Spillway ${config.name} from GitHub`,
      maxSessionDuration: Duration.hours(2),
      assumedBy: new FederatedPrincipal(
        this.oidcProviderArn(hasOidcProvider),
        {
          StringEquals: {
            [`${ISSUER}:aud`]: AUDIENCE,
            [`${ISSUER}:sub`]: `repo:${repository}:environment:${config.name}`,
          },
        },
        "sts:AssumeRoleWithWebIdentity",
      ),
    });
    this.allowDeployment(role);
    this.allowSmokeTest(role, config.name);
    new CfnOutput(this, "DeployRoleArn", {
      value: role.roleArn,
      description: `DEPLOY_ROLE_ARN of the GitHub environment ${config.name}`,
    });
  }

  private oidcProviderArn(isThere: boolean): string {
    if (isThere) return this.arnOf("iam", "oidc-provider", ISSUER, "");
    // IAM trusts GitHub's certificate by its authority, so no thumbprint is given.
    return new CfnOIDCProvider(this, "GitHub", { url: `https://${ISSUER}`, clientIdList: [AUDIENCE] })
      .attrArn;
  }

  private allowDeployment(role: Role): void {
    const arns = BOOTSTRAP_ROLES.map((name) =>
      this.arnOf("iam", "role", `cdk-${BOOTSTRAP_QUALIFIER}-${name}-role-${this.account}-${this.region}`, ""),
    );
    allow(role, ["sts:AssumeRole"], arns);
  }

  private allowSmokeTest(role: Role, environment: string): void {
    // CloudFormation's own names begin with the stack's.
    const deadLetters = `Spillway-${environment}-DeadLetters-*`;
    this.allowAnyOf(role, "execute-api", ["execute-api:Invoke"], ["*/*/POST/events", "*/*/GET/results/*"]);
    this.allowAnyOf(role, "sqs", ["sqs:SendMessage"], [deadLetters]);
    this.allowAnyOf(
      role,
      "dynamodb",
      ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"],
      [`table/${deadLetters}`, `table/${deadLetters}/index/*`],
    );
  }

  private allowAnyOf(role: Role, service: string, actions: string[], resources: string[]): void {
    const [region, account] = [
      [this.region, "<AWS::Region>"] as const,
      [this.account, "<AWS::AccountId>"] as const,
    ].map(([value, unknown]) => (Token.isUnresolved(value) ? unknown : value));
    for (const resource of resources) {
      acknowledge(
        role,
        `IAM5[Resource::arn:<AWS::Partition>:${service}:${region}:${account}:${resource}]`,
        "CloudFormation and API Gateway choose the names' ends, in stacks that are not there yet.",
      );
    }
    allow(
      role,
      actions,
      resources.map((resource) => Arn.format({ service, resource }, this)),
    );
  }

  private arnOf(service: string, resource: string, resourceName: string, region: string): string {
    return Arn.format(
      { service, region, resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME },
      this,
    );
  }
}

function allow(role: Role, actions: string[], resources: string[]): void {
  role.addToPolicy(new PolicyStatement({ actions, resources }));
}
