import { CfnOutput, Duration } from "aws-cdk-lib";
import { type EventBus, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { NOTICE_SOURCE } from "../../contracts/notices.ts";
import { acknowledge } from "../acknowledge.ts";
import type { WebhookConfig } from "../config/serving.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** Three attempts of 5 s each, and what is between them. */
const SIZE = { memoryMib: 256, timeoutSeconds: 30 };
/** Lambda's most; a minute and two minutes after the first. */
const CALLS_AGAIN = 2;
/** How long Lambda and EventBridge try to have it run at all. */
const MAX_AGE = Duration.hours(6);
/** Letters and digits, so that the text is base64 as it stands: of 48 bytes, where Standard Webhooks asks for 24 to 64. */
const SECRET_CHARACTERS = 64;

export interface WebhookProps {
  readonly webhook: WebhookConfig;
  readonly bus: EventBus;
  readonly deadLetters: Queue;
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** Sends each notice on the bus to one URL, signed. An API destination of EventBridge could not sign what it sends. */
export class Webhook extends Construct {
  constructor(scope: SpillwayStack, id: string, { webhook, bus, deadLetters, entry }: WebhookProps) {
    super(scope, id);
    const secret = new Secret(this, "Secret", {
      description: `Spillway (${scope.config.name}): signs webhooks; receivers know it as whsec_ and this text`,
      generateSecretString: { passwordLength: SECRET_CHARACTERS, excludePunctuation: true },
      removalPolicy: scope.dataRemovalPolicy,
    });
    acknowledge(
      secret,
      "SMG4",
      "Its other half is with receivers outside AWS: a person rotates it with them, and notices carry both signatures meanwhile.",
    );
    const { role, lambda } = new PlatformFunction(scope, "WebhookFunction", {
      description: "Sends notices of new results to a webhook, signed",
      code: functionCode(entry),
      traced: true,
      size: SIZE,
      environment: {
        [environmentVariables.environment]: scope.config.name,
        [environmentVariables.webhookUrl]: webhook.url,
        [environmentVariables.webhookSecret]: secret.secretArn,
      },
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: [secret.secretArn] }),
    );
    deadLetters.grantSendMessages(role);
    lambda.configureAsyncInvoke({
      retryAttempts: CALLS_AGAIN,
      maxEventAge: MAX_AGE,
      onFailure: new SqsDestination(deadLetters),
    });
    // By its ARN: a policy of the queue that named this rule would make the two stacks need each other.
    const deadLetterQueue = Queue.fromQueueArn(this, "DeadLetters", deadLetters.queueArn);
    new Rule(this, "Rule", {
      description: `Spillway (${scope.config.name}): notices to the webhook`,
      eventBus: bus,
      eventPattern: { source: [NOTICE_SOURCE] },
      targets: [new LambdaFunction(lambda, { deadLetterQueue, maxEventAge: MAX_AGE })],
    });
    new CfnOutput(this, "SecretArn", {
      value: secret.secretArn,
      description: `Spillway (${scope.config.name}): the secret that receivers of the webhook verify with`,
    });
  }
}
