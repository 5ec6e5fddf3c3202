/** A running platform, on this machine or on AWS, for commands that work on its pipelines' state. */
import type { Admin, Kafka } from "kafkajs";
import { environmentVariables } from "../contracts/environment.ts";
import { AwsCheckpointStore } from "../processors/adapters/aws-checkpoint-store.ts";
import { KafkaLog } from "../processors/adapters/kafka-log.ts";
import { createDynamoDBClient } from "../runtime/dynamodb.ts";
import { createKafka } from "../runtime/kafka.ts";
import { createS3Client } from "../runtime/s3.ts";
import { UsageError } from "./command.ts";
import { dropNegativeTimeoutWarnings } from "./kafka.ts";

export interface Deployment {
  readonly environment: string;
  readonly log: KafkaLog;
  readonly store: AwsCheckpointStore;
  readonly kafka: Kafka;
  readonly admin: Admin;
}

/** What a command says of its connection in its help. */
export const DEPLOYMENT_HELP = `The platform is found by the environment variables that its processors have, ${environmentVariables.environment},
${environmentVariables.bootstrapServers}, ${environmentVariables.checkpointTable} and ${environmentVariables.checkpointBucket}, and the AWS SDK's own; or

  --control URL     that of a platform on this machine, as \`spillway start\` prints it`;

/** The environment that the CDK app synthesizes when it is not told another. */
const LOCAL_ENVIRONMENT = "dev";
const CLIENT_ID = "spillway-cli";

/** What is used of what local/'s control server tells. */
export interface LocalState {
  readonly bootstrapServers: string;
  /** HTTP APIs: where they are, and their routes, such as `POST /events`. */
  readonly apis: Readonly<Record<string, { readonly url: string; readonly routes: readonly string[] }>>;
  /** By what people call them; the variables that their templates give them. */
  readonly functions: Readonly<Record<string, { readonly environment: Readonly<Record<string, string>> }>>;
  /** Names by logical id. */
  readonly tables: Readonly<Record<string, string>>;
  readonly buckets: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<string, string>>;
  /** Region, credentials and endpoints, as an AWS client reads them from the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Connects, calls `use`, and closes the connections.
 * @param controlUrl of a platform on this machine; undefined: the environment variables say where it is
 * @throws UsageError where it cannot be found
 */
export async function withDeployment<T>(
  controlUrl: string | undefined,
  use: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  if (controlUrl !== undefined) await takeEnvironment(controlUrl);
  dropNegativeTimeoutWarnings();
  const bootstrapServers = variable("bootstrapServers");
  const store = new AwsCheckpointStore({
    dynamodb: createDynamoDBClient(),
    s3: createS3Client(),
    table: variable("checkpointTable"),
    bucket: variable("checkpointBucket"),
  });
  const environment = variable("environment");
  const log = new KafkaLog({ bootstrapServers, clientId: CLIENT_ID });
  const kafka = createKafka({ bootstrapServers, clientId: CLIENT_ID });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use({ environment, log, store, kafka, admin });
  } finally {
    await Promise.all([admin.disconnect(), log.close()]);
  }
}

/** Sets what the platform's own processes have, since the SDK takes its endpoints from the environment. */
async function takeEnvironment(controlUrl: string): Promise<void> {
  const { bootstrapServers, tables, buckets, environment } = await localState(controlUrl);
  Object.assign(process.env, environment, {
    [environmentVariables.environment]: LOCAL_ENVIRONMENT,
    [environmentVariables.bootstrapServers]: bootstrapServers,
    [environmentVariables.checkpointTable]: named(tables, "Checkpoints"),
    [environmentVariables.checkpointBucket]: named(buckets, "Checkpoints"),
  });
}

/** The control URL as it is meant: what `spillway start` prints ends with the path of the state. */
export const controlBase = (controlUrl: string): string => controlUrl.replace(/\/state$/, "");

/** What runs on this machine. Throws UsageError where nothing answers. */
export async function localState(controlUrl: string): Promise<LocalState> {
  const url = `${controlBase(controlUrl)}/state`;
  try {
    const response = await fetch(url);
    if (response.ok) return (await response.json()) as LocalState;
    throw new Error(`it answered ${response.status}`);
  } catch (cause) {
    throw new UsageError(`no platform answers at ${url}: ${(cause as Error).message}`, { cause });
  }
}

/** The name of the table or bucket whose logical id begins so. */
export function named(names: Readonly<Record<string, string>>, start: string): string {
  const found = Object.entries(names).find(([logicalId]) => logicalId.startsWith(start));
  if (found === undefined) throw new UsageError(`the platform has no storage that is called ${start}`);
  return found[1];
}

/** The value of an environment variable that says where the platform is. Throws UsageError where it is not set. */
export function variable(key: keyof typeof environmentVariables): string {
  const name = environmentVariables[key];
  const value = process.env[name];
  if (value !== undefined && value !== "") return value;
  throw new UsageError(`say where the platform is: with --control, or set ${name} and its like`);
}
