import { CfnOutput } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { EventBus } from "aws-cdk-lib/aws-events";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { noticesTable } from "../../contracts/notices.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import { Webhook } from "./webhook.ts";

export interface NoticesProps {
  /** Takes what could not be delivered in the end. */
  readonly deadLetters: Queue;
  /** Module that exports `handler`. */
  readonly webhookEntry: string;
}

/** Tells others of new results: an event bus that anybody in the account may add rules to, and a webhook. */
export class Notices extends Construct {
  /** EventBridge encrypts what it keeps, with a key of its own, as DynamoDB and SQS do here. */
  readonly bus: EventBus;
  /** Ids of what was put on the bus. */
  readonly table: Table;

  constructor(scope: SpillwayStack, id: string, { deadLetters, webhookEntry }: NoticesProps) {
    super(scope, id);
    this.bus = new EventBus(this, "Bus", {
      description: `Spillway (${scope.config.name}): notices of new results`,
    });
    this.table = new Table(this, "Table", {
      partitionKey: { name: noticesTable.partitionKey, type: AttributeType.STRING },
      timeToLiveAttribute: noticesTable.expiresAt,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: scope.config.removalPolicy === "retain",
      removalPolicy: scope.dataRemovalPolicy,
    });
    const { webhook } = scope.config.serving;
    if (webhook !== undefined) {
      new Webhook(scope, "Webhook", { webhook, bus: this.bus, deadLetters, entry: webhookEntry });
    }
    new CfnOutput(this, "BusName", {
      value: this.bus.eventBusName,
      description: `Spillway (${scope.config.name}): the event bus of notices`,
    });
  }
}
