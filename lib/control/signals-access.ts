import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";

/**
 * Lets a stage speak in the signals table under its own names only, which the partition key is: nobody can make another
 * stage look loaded, or idle. A condition on a set holds of an empty one, so that the key must be there as well:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function grantSignals(table: Table, speaker: IGrantable, stages: readonly string[]): void {
  speaker.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ["dynamodb:PutItem"],
      resources: [table.tableArn],
      conditions: {
        "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [...stages] },
        Null: { "dynamodb:LeadingKeys": "false" },
      },
    }),
  );
}
