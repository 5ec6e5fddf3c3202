/** Where the platform that is smoked is: by what `cdk deploy` wrote down, or by the control server of one on this machine. */
import { readFile } from "node:fs/promises";
import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { UsageError } from "../command.ts";
import { localState, named } from "../deployment.ts";

export interface Target {
  /** `POST /events`. */
  readonly eventsUrl: string;
  /** `GET /results/{pipeline}/{key}`, with these two in braces. */
  readonly resultsUrl: string;
  readonly archiveTable: string;
  /** Where Lambda puts what failed for good. */
  readonly queueUrl: string;
}

/** The SDK would take a queue's URL for the endpoint, and of an emulator's it makes none. */
export const createSqsClient = (): SQSClient => new SQSClient({ useQueueUrlAsEndpoint: false });

type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** @throws UsageError where the file does not have the environment */
export async function deployedTarget(environment: string, outputsFile: string): Promise<Target> {
  const outputs = await readOutputs(outputsFile);
  const output = (stack: string, start: string): string => {
    const ofStack = outputs[`Spillway-${environment}-${stack}`] ?? {};
    const found = Object.entries(ofStack).find(([name]) => name.startsWith(start));
    if (found !== undefined) return found[1];
    throw new UsageError(
      `${outputsFile} has no ${start} of Spillway-${environment}-${stack}: deploy ${environment} with npm run deploy first`,
    );
  };
  return {
    eventsUrl: output("Ingestion", "EventsUrl"),
    resultsUrl: output("Serving", "ResultsUrl"),
    archiveTable: output("DeadLetters", "TableName"),
    queueUrl: output("DeadLetters", "QueueUrl"),
  };
}

async function readOutputs(file: string): Promise<Outputs> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Outputs;
  } catch (cause) {
    const hint = "npm run deploy writes it, or say --outputs or --control";
    throw new UsageError(`${file} cannot be read: ${(cause as Error).message}; ${hint}`, { cause });
  }
}

/** Sets what the platform's own functions have, since the SDK takes its endpoints from the environment. */
export async function localTarget(controlUrl: string): Promise<Target> {
  const { apis, tables, queues, environment } = await localState(controlUrl);
  Object.assign(process.env, environment);
  const urlOf = (route: string): string => {
    const api = Object.values(apis).find(({ routes }) => routes.includes(route));
    if (api === undefined) throw new UsageError(`the platform serves no route ${route}`);
    return `${api.url.replace(/\/$/, "")}${route.split(" ")[1]}`;
  };
  const { QueueUrl } = await createSqsClient().send(
    new GetQueueUrlCommand({ QueueName: named(queues, "Queue") }),
  );
  return {
    eventsUrl: urlOf("POST /events"),
    resultsUrl: urlOf("GET /results/{pipeline}/{key}"),
    archiveTable: named(tables, "Archive"),
    queueUrl: QueueUrl!,
  };
}
