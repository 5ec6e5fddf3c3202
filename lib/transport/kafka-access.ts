import { Fn } from "aws-cdk-lib";
import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";

/**
 * Statements of MSK's IAM access control, each for named topics, groups and transactional ids of one cluster.
 * https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html says which action needs which other.
 */
export class KafkaAccess {
  readonly #clusterArn: string;

  constructor(clusterArn: string) {
    this.#clusterArn = clusterArn;
  }

  /** To sign in to the cluster; every client needs it. */
  connect(client: IGrantable): void {
    grant(client, ["Connect"], [this.#clusterArn]);
  }

  write(client: IGrantable, topics: readonly string[]): void {
    grant(client, ["DescribeTopic", "WriteData"], this.#arns("topic", topics));
  }

  /** To read the topics as a member of the groups, and to commit the groups' offsets. */
  consume(client: IGrantable, topics: readonly string[], groups: readonly string[]): void {
    grant(client, ["DescribeTopic", "ReadData"], this.#arns("topic", topics));
    grant(client, ["AlterGroup", "DescribeGroup"], this.#arns("group", groups));
  }

  /** To write transactionally under ids that match; `?` stands for one character. */
  transact(client: IGrantable, transactionalIds: readonly string[]): void {
    const arns = this.#arns("transactional-id", transactionalIds);
    grant(client, ["AlterTransactionalId", "DescribeTransactionalId"], arns);
  }

  /**
   * What Lambda itself asks of a function's role to poll a cluster for it, beside {@link connect} and
   * {@link consume}: https://docs.aws.amazon.com/lambda/latest/dg/with-msk-permissions.html.
   */
  poll(functionRole: IGrantable): void {
    grant(functionRole, ["DescribeClusterDynamicConfiguration"], [this.#clusterArn]);
    functionRole.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"],
        resources: [this.#clusterArn],
      }),
    );
  }

  /** `arn:…:cluster/NAME/UUID` becomes `arn:…:KIND/NAME/UUID/RESOURCE`. */
  #arns(kind: "topic" | "group" | "transactional-id", resources: readonly string[]): string[] {
    const [prefix, cluster] = [0, 1].map((part) => Fn.select(part, Fn.split(":cluster/", this.#clusterArn)));
    return resources.map((resource) => `${prefix}:${kind}/${cluster}/${resource}`);
  }
}

function grant(client: IGrantable, verbs: readonly string[], resources: string[]): void {
  const actions = verbs.map((verb) => `kafka-cluster:${verb}`);
  client.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
}
