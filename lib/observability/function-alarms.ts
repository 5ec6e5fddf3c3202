/** Alarms on every Lambda function, on streams that functions drain, and on the queue of what they gave up. */
import { Duration } from "aws-cdk-lib";
import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import { metrics as names } from "../../contracts/metrics.ts";
import type { AlarmDefinition, MissingData } from "./alarm.ts";
import { awsMetric } from "./aws-metrics.ts";
import type { OwnMetrics } from "./own-metrics.ts";

export interface DeployedFunction {
  readonly name: string;
  readonly functionName: string;
  /** Null: it shares the account's. */
  readonly reservedConcurrency: number | null;
}

/** A stream and the function that drains it. */
export interface DeployedDrain {
  readonly name: string;
  readonly functionName: string;
  readonly streamName: string;
  /** When it gives records up. */
  readonly maxAgeHours: number;
}

/** What a new account may run at once by AWS's documentation; some begin with less, and quotas can be raised. */
const ACCOUNT_CONCURRENCY = 1_000;
const HOUR_MS = 3_600_000;

const NO_INVOCATIONS: MissingData = {
  treatedAs: "not breaching",
  because: "a function that nobody calls emits nothing, which is no fault",
};

export function functionAlarms(functions: readonly DeployedFunction[]): readonly AlarmDefinition[] {
  return [...functions.flatMap(alarmsOf), accountConcurrency()];
}

function alarmsOf(deployed: DeployedFunction): readonly AlarmDefinition[] {
  const { name, functionName, reservedConcurrency } = deployed;
  const sum = (metric: "Errors" | "Invocations" | "Throttles") =>
    awsMetric("AWS/Lambda", metric, { FunctionName: functionName }, { statistic: "Sum" });
  const common = { comparison: ">", runbook: "functions", missingData: NO_INVOCATIONS } as const;
  const all: AlarmDefinition[] = [
    {
      ...common,
      name: `function-${name}-errors`,
      severity: "ticket",
      metric: new MathExpression({
        expression: "100 * errors / invocations",
        usingMetrics: { errors: sum("Errors"), invocations: sum("Invocations") },
        period: Duration.minutes(1),
      }),
      threshold: 1,
      unit: "%",
      periods: 5,
      reason:
        "Functions answer what is expected to fail; 1 % that throw or time out for five minutes is a fault.",
    },
    {
      ...common,
      name: `function-${name}-throttles`,
      severity: "ticket",
      metric: sum("Throttles"),
      threshold: 0,
      unit: "invocations",
      periods: 5,
      reason:
        "Callers try again after a throttle; five minutes of them mean that there is no concurrency left.",
    },
  ];
  // One that runs alone is busy or not; its callers' throttles say more.
  if (reservedConcurrency === null || reservedConcurrency === 1) return all;
  return [...all, concurrencyAlarm(deployed, reservedConcurrency)];
}

function concurrencyAlarm(
  { name, functionName }: DeployedFunction,
  reservedConcurrency: number,
): AlarmDefinition {
  return {
    name: `function-${name}-concurrency`,
    severity: "ticket",
    metric: awsMetric(
      "AWS/Lambda",
      "ConcurrentExecutions",
      { FunctionName: functionName },
      { statistic: "Maximum" },
    ),
    comparison: ">=",
    threshold: 0.9 * reservedConcurrency,
    unit: "executions",
    periods: 5,
    reason: `It has ${reservedConcurrency} reserved; at 90 % the next burst is throttled.`,
    runbook: "functions",
    missingData: NO_INVOCATIONS,
  };
}

function accountConcurrency(): AlarmDefinition {
  return {
    name: "account-concurrency",
    severity: "ticket",
    metric: awsMetric("AWS/Lambda", "ClaimedAccountConcurrency", {}, { statistic: "Maximum" }),
    comparison: ">",
    threshold: 0.8 * ACCOUNT_CONCURRENCY,
    unit: "executions",
    periods: 5,
    reason: `The quota is ${ACCOUNT_CONCURRENCY} by default for all functions of the account and region, these or others.`,
    runbook: "functions",
    missingData: NO_INVOCATIONS,
  };
}

export function drainAlarms(drains: readonly DeployedDrain[], own: OwnMetrics): readonly AlarmDefinition[] {
  return [...drains.map(iteratorAge), fillingFaster(drains[0]!, own)];
}

/** Hours of a paused or overloaded stream are what it is for; a tenth of what it may keep is not. */
function iteratorAge({ name, functionName, maxAgeHours }: DeployedDrain): AlarmDefinition {
  return {
    name: `stream-${name}-iterator-age`,
    severity: "page",
    metric: iteratorAgeOf(functionName),
    comparison: ">",
    threshold: (maxAgeHours * HOUR_MS) / 10,
    unit: "ms",
    periods: 5,
    reason: `A tenth of the ${maxAgeHours} h after which records are given up: nine tenths are left to act.`,
    runbook: "spillway-draining",
    missingData: {
      treatedAs: "not breaching",
      because: "a stream without records, and a paused mapping, emit no age; a pause has an alarm of its own",
    },
  };
}

export const iteratorAgeOf = (functionName: string) =>
  awsMetric("AWS/Lambda", "IteratorAge", { FunctionName: functionName }, { statistic: "Maximum" });

/** `spillway`: the drain of what the door spills. */
function fillingFaster(spillway: DeployedDrain, own: OwnMetrics): AlarmDefinition {
  const period = Duration.minutes(5);
  return {
    name: "spillway-filling-faster-than-draining",
    severity: "ticket",
    metric: new MathExpression({
      // Emitted where it happens only: what is absent is nothing spilled, or nothing forwarded.
      expression: "IF(FILL(age, 0) > 60000, FILL(spilled, 0) - FILL(forwarded, 0), 0)",
      usingMetrics: {
        age: iteratorAgeOf(spillway.functionName).with({ period }),
        spilled: own.ofFunction(names.ingest.eventsSpilled, "ingest", { statistic: "Sum", period }),
        forwarded: own.ofFunction(names.forward.eventsForwarded, "forward", { statistic: "Sum", period }),
      },
      period,
    }),
    comparison: ">",
    threshold: 0,
    unit: "events",
    periods: 6,
    reason:
      "Half an hour in which more was spilled than forwarded, of records older than a minute: it will not end by itself.",
    runbook: "spillway-draining",
    missingData: { treatedAs: "not breaching", because: "nothing is spilled and nothing waits" },
  };
}

/** A queue of what functions gave up. */
export interface DeployedQueue {
  readonly name: string;
  readonly queueName: string;
}

const EMPTY: MissingData = { treatedAs: "not breaching", because: "an empty queue or archive says nothing" };

export const queueAlarms = (queues: readonly DeployedQueue[]): readonly AlarmDefinition[] =>
  queues.map(({ name, queueName }) => ({
    name: `${name}-age`,
    severity: "ticket",
    metric: awsMetric(
      "AWS/SQS",
      "ApproximateAgeOfOldestMessage",
      { QueueName: queueName },
      { statistic: "Maximum" },
    ),
    comparison: ">",
    threshold: 3_600,
    unit: "s",
    periods: 5,
    reason: "Messages are taken within seconds and tried again every 6 minutes; after 14 days they are gone.",
    runbook: "dead-letters",
    missingData: EMPTY,
  }));

export function archiveAlarms(own: OwnMetrics): readonly AlarmDefinition[] {
  const common = { comparison: ">", runbook: "dead-letters", missingData: EMPTY } as const;
  return [
    {
      ...common,
      name: "dead-letters-present",
      severity: "ticket",
      metric: own.ofFunction(names.archive.entriesArchived, "archive", { statistic: "Sum" }),
      threshold: 0,
      unit: "entries",
      periods: 1,
      reason: "Each is an event or a result that somebody waits for, and 90 days later it is gone.",
    },
    {
      ...common,
      name: "dead-letters-unfiled",
      severity: "ticket",
      metric: own.ofFunction(names.archive.messagesFailed, "archive", {
        statistic: "Sum",
        period: Duration.minutes(15),
      }),
      threshold: 0,
      unit: "messages",
      periods: 2,
      reason:
        "A message that cannot be filed comes again every 6 minutes, so each quarter of an hour sees it.",
    },
  ];
}
