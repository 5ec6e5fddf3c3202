import { Duration } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { type ControlledMapping, formatMappings } from "../../contracts/flow-control.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** See ControlledMapping in contracts/flow-control.ts. */
export interface PausableMapping extends Omit<ControlledMapping, "uuid"> {
  readonly mapping: CfnEventSourceMapping;
}

export interface FlowControlProps {
  readonly signals: Table;
  readonly control: Table;
  readonly mappings: readonly PausableMapping[];
  /** Module that exports `handler`. */
  readonly entry: string;
}

const INTERVAL = Duration.minutes(1);
/** A few requests to DynamoDB and Lambda a mapping; it waits for them. */
const SIZE = { memoryMib: 256, timeoutSeconds: 30 };

/**
 * The function that pauses and resumes stream mappings, once a minute. It stands in the stack of its mappings: another
 * stack that used their ids would keep them from being replaced.
 */
export class FlowControl extends Construct {
  constructor(scope: SpillwayStack, id: string, { signals, control, mappings, entry }: FlowControlProps) {
    super(scope, id);
    const controlled = mappings.map(({ name, mapping, maxAgeHours, topics }) => ({
      name,
      uuid: mapping.ref,
      maxAgeHours,
      topics,
    }));
    const { role, lambda } = new PlatformFunction(scope, "FlowControlFunction", {
      description: "Pauses and resumes the mappings of streams by load",
      code: functionCode(entry),
      size: SIZE,
      // Two runs at a time would each take the other's change for somebody else's.
      reservedConcurrency: 1,
      environment: {
        [environmentVariables.environment]: scope.config.name,
        [environmentVariables.signalsTable]: signals.tableName,
        [environmentVariables.controlTable]: control.tableName,
        [environmentVariables.controlledMappings]: formatMappings(controlled),
      },
    });
    signals.grant(role, "dynamodb:Scan");
    control.grant(role, "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem");
    role.addToPolicy(
      new PolicyStatement({
        actions: ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
        resources: mappings.map(({ mapping }) => mapping.attrEventSourceMappingArn),
      }),
    );
    // A run that failed or comes late is worth nothing: the next one sees the same, and more. So nothing is tried
    // again, and there is nothing to keep for later.
    lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: INTERVAL });
    new Rule(this, "EveryMinute", {
      description: `Spillway (${scope.config.name}): runs the flow control`,
      schedule: Schedule.rate(INTERVAL),
      targets: [new LambdaFunction(lambda, { retryAttempts: 0, maxEventAge: INTERVAL })],
    });
  }
}
