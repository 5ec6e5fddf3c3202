import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { signalsTable } from "../../contracts/signals.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { SpillwayStack } from "../spillway-stack.ts";

/** What stages tell each other about their load. */
export class ControlStack extends SpillwayStack {
  /** Items live for a day and say nothing after half a minute: there is nothing to recover. */
  readonly signals: Table;

  constructor(scope: Construct, config: EnvironmentConfig) {
    super(scope, "Control", config);
    this.signals = new Table(this, "SignalsTable", {
      partitionKey: { name: signalsTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: signalsTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: signalsTable.timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: this.dataRemovalPolicy,
    });
  }
}
