import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { controlTable } from "../../contracts/flow-control.ts";
import { signalsTable } from "../../contracts/signals.ts";
import { acknowledge } from "../acknowledge.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { SpillwayStack } from "../spillway-stack.ts";

/** What stages tell each other about their load, and what the flow control made of it. */
export class ControlStack extends SpillwayStack {
  /** Items live for a day and say nothing after half a minute: there is nothing to recover. */
  readonly signals: Table;
  /**
   * A table of its own: signals are scanned every two seconds by every environment of the ingest function, and the
   * records of changes stay for more than a year.
   */
  readonly control: Table;

  constructor(scope: Construct, config: EnvironmentConfig) {
    super(scope, "Control", config);
    this.signals = new Table(this, "SignalsTable", {
      partitionKey: { name: signalsTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: signalsTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: signalsTable.timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: this.dataRemovalPolicy,
    });
    acknowledge(this.signals, "DDB3", "What it holds says nothing after half a minute.");
    this.control = new Table(this, "ControlTable", {
      partitionKey: { name: controlTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: controlTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: controlTable.timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: config.removalPolicy === "retain",
      removalPolicy: this.dataRemovalPolicy,
    });
  }
}
