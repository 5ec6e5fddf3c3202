/** What the other stacks hold that alarms are about: found in them, so that nobody has to list it here. */
import type { Stack } from "aws-cdk-lib";
import { Table } from "aws-cdk-lib/aws-dynamodb";
import { Queue } from "aws-cdk-lib/aws-sqs";
import type { IConstruct } from "constructs";
import { PlatformFunction } from "../functions/platform-function.ts";
import { StreamDrain } from "../ingestion/stream-drain.ts";
import { ProcessorService } from "../processing/processor-service.ts";
import type { DeployedDrain, DeployedFunction, DeployedQueue } from "./function-alarms.ts";

type Class<T> = abstract new (...parameters: never[]) => T;

const all = <T extends IConstruct>(stacks: readonly Stack[], type: Class<T>): readonly T[] =>
  stacks.flatMap((stack) => stack.node.findAll().filter((each): each is T => each instanceof type));

const kebab = (text: string): string =>
  text
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
    .replaceAll(" ", "-")
    .toLowerCase();

/** `FlowControlFunction` is called `flow-control`. */
const nameOf = ({ node }: IConstruct): string => kebab(node.id.replace(/Function$/, ""));

/** Within the environment: `DeadLetters Archive Table`. */
const pathOf = ({ node }: IConstruct): string => {
  const [stack, ...path] = node.path.split("/");
  return [stack!.split("-").at(-1), ...path].join(" ");
};

export const functionsIn = (stacks: readonly Stack[]): readonly DeployedFunction[] =>
  all(stacks, PlatformFunction).map((found) => ({
    name: nameOf(found),
    functionName: found.lambda.functionName,
    reservedConcurrency: found.reservedConcurrency,
  }));

/** The spillway's first. */
export const drainsIn = (stacks: readonly Stack[]): readonly DeployedDrain[] =>
  all(stacks, StreamDrain).map(({ name, drain, stream, maxAgeHours }) => ({
    name,
    functionName: drain.lambda.functionName,
    streamName: stream.streamName,
    maxAgeHours,
  }));

export const queuesIn = (stacks: readonly Stack[]): readonly DeployedQueue[] =>
  all(stacks, Queue).map((queue) => ({ name: kebab(pathOf(queue)), queueName: queue.queueName }));

/** A Fargate service that runs pipelines, by the name that they give it. */
export interface DeployedService {
  readonly name: string;
  readonly clusterName: string;
  readonly serviceName: string;
}

export const servicesIn = (stacks: readonly Stack[]): readonly DeployedService[] =>
  all(stacks, ProcessorService).map(({ serviceName: name, service }) => ({
    name,
    clusterName: service.cluster.clusterName,
    serviceName: service.serviceName,
  }));

export interface DeployedTable {
  readonly name: string;
  readonly tableName: string;
}

export const tablesIn = (stacks: readonly Stack[]): readonly DeployedTable[] =>
  all(stacks, Table).map((table) => ({
    name: pathOf(table),
    tableName: table.tableName,
  }));
