import { Duration } from "aws-cdk-lib";
import type { IVpc, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { acknowledgeAnyResource } from "../acknowledge.ts";
import type { FunctionConfig } from "../config/environment.ts";
import { allowTraces, traceVariables } from "../observability/traces.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

export interface PlatformFunctionProps {
  readonly description: string;
  readonly code: Code;
  readonly size: FunctionConfig;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether its code records spans. @default false */
  readonly traced?: boolean;
  /** Where it needs to reach the brokers. @default not in a VPC */
  readonly network?: { readonly vpc: IVpc; readonly securityGroup: SecurityGroup };
  /** @default the account's unreserved concurrency */
  readonly reservedConcurrency?: number;
}

/**
 * A Lambda function as this platform runs them: Node 24 on ARM64, its own log group, and a role that may write to
 * that group and nothing else until it is granted more.
 */
export class PlatformFunction extends Construct {
  readonly role: Role;
  readonly lambda: LambdaFunction;
  /** Null: it shares the account's. */
  readonly reservedConcurrency: number | null;

  constructor(scope: SpillwayStack, id: string, props: PlatformFunctionProps) {
    super(scope, id);
    this.reservedConcurrency = props.reservedConcurrency ?? null;
    const logGroup = scope.logGroup(this, "Logs");
    this.role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(this.role);
    if (props.network) this.allowNetworkInterfaces();
    if (props.traced) allowTraces(scope, this.role);
    this.lambda = new LambdaFunction(this, "Function", {
      description: props.description,
      code: props.code,
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.size.memoryMib,
      timeout: Duration.seconds(props.size.timeoutSeconds),
      reservedConcurrentExecutions: props.reservedConcurrency,
      environment: { ...props.environment, ...(props.traced && traceVariables(scope)) },
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      vpc: props.network?.vpc,
      securityGroups: props.network && [props.network.securityGroup],
    });
    this.lambda.node.addDependency(this.role);
  }

  /** Lambda makes them before it knows their names, so these actions cannot name a resource. */
  private allowNetworkInterfaces(): void {
    acknowledgeAnyResource(this.role, "Lambda makes network interfaces before it knows their names.");
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ],
        resources: ["*"],
      }),
    );
  }
}
