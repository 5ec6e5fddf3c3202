/** Alarms on what the door, the flow control, the sink and the redrive say of themselves. */
import { Duration } from "aws-cdk-lib";
import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import { metrics as names } from "../../contracts/metrics.ts";
import type { AlarmDefinition, MissingData } from "./alarm.ts";
import { baselineMs, LATENCY_FACTOR } from "./latency-baseline.ts";
import type { OwnMetrics } from "./own-metrics.ts";

export const INGEST_CIRCUIT_OPEN = "ingest-circuit-open";

const NOTHING_TO_SAY: MissingData = {
  treatedAs: "not breaching",
  because: "it is emitted where it happens only, so silence is health",
};
const NO_REQUESTS: MissingData = {
  treatedAs: "not breaching",
  because: "without requests there is nothing to say, which is no fault",
};

export function ingestAlarms(own: OwnMetrics): readonly AlarmDefinition[] {
  const sum = (name: (typeof names.ingest)[keyof typeof names.ingest]) =>
    own.ofFunction(name, "ingest", { statistic: "Sum" });
  return [
    {
      name: INGEST_CIRCUIT_OPEN,
      severity: "page",
      metric: sum(names.ingest.breakerTrips),
      comparison: ">",
      threshold: 0,
      unit: "trips",
      periods: 1,
      reason:
        "A breaker trips after several failures in a row, so one trip is an outage already, and no hiccup.",
      runbook: "ingest-outage",
      missingData: NOTHING_TO_SAY,
    },
    {
      name: "ingest-unavailable",
      severity: "page",
      metric: sum(names.ingest.unavailable),
      comparison: ">",
      threshold: 0,
      unit: "requests",
      periods: 1,
      reason: "Neither Kafka nor the spillway took the events, so the sender alone has them.",
      runbook: "ingest-outage",
      missingData: NOTHING_TO_SAY,
    },
    {
      name: "ingest-refusals",
      severity: "ticket",
      metric: new MathExpression({
        expression: "100 * refused / (accepted + refused)",
        usingMetrics: {
          refused: sum(names.ingest.eventsRefused),
          accepted: sum(names.ingest.eventsAccepted),
        },
        period: Duration.minutes(1),
      }),
      comparison: ">",
      threshold: 1,
      unit: "%",
      periods: 5,
      reason:
        "Of events that producers send in good faith hardly one is refused; 1 % for five minutes is a change.",
      runbook: "ingest-outage",
      missingData: NO_REQUESTS,
    },
    {
      name: "ingest-latency",
      severity: "ticket",
      metric: own.ofFunction(names.ingest.produceMs, "ingest", { statistic: "p95" }),
      comparison: ">",
      threshold: LATENCY_FACTOR * baselineMs("ingest"),
      unit: "ms",
      periods: 5,
      reason:
        "Twice the recorded baseline of storing a request's events (lib/observability/latency-baseline.ts).",
      runbook: "ingest-outage",
      missingData: NO_REQUESTS,
    },
    {
      name: "ingest-signals-unread",
      severity: "ticket",
      metric: sum(names.ingest.signalsUnread),
      comparison: ">",
      threshold: 0,
      unit: "requests",
      periods: 5,
      reason:
        "Without signals the door takes everything for idle and sheds nothing; once is a retry of DynamoDB's.",
      runbook: "flow-control",
      missingData: NOTHING_TO_SAY,
    },
  ];
}

export function flowControlAlarms(own: OwnMetrics): readonly AlarmDefinition[] {
  const max = (name: (typeof names.flowControl)[keyof typeof names.flowControl]) =>
    own.ofFunction(name, "flow-control", { statistic: "Maximum" });
  return [
    {
      name: "flow-control-silent",
      severity: "page",
      metric: own.ofFunction(names.flowControl.mappingsPaused, "flow-control", { statistic: "SampleCount" }),
      comparison: "<",
      threshold: 1,
      unit: "runs",
      periods: 5,
      reason: "It runs every minute; while it does not, nobody resumes a mapping that it has paused.",
      runbook: "flow-control",
      missingData: {
        treatedAs: "breaching",
        because: "what does not run emits nothing: silence is the fault",
      },
    },
    {
      name: "flow-control-table-failures",
      severity: "ticket",
      metric: max(names.flowControl.tableFailures),
      comparison: ">",
      threshold: 0,
      unit: "requests",
      periods: 5,
      reason: "A request that failed is made again a minute later; five runs in a row are no hiccup.",
      runbook: "flow-control",
      missingData: { treatedAs: "not breaching", because: "a silent flow control has an alarm of its own" },
    },
    {
      name: "spillway-paused",
      severity: "ticket",
      metric: max(names.flowControl.pausedAgeMs),
      comparison: ">",
      threshold: 3_600_000,
      unit: "ms",
      periods: 5,
      reason:
        "Load that goes down resumes a mapping within minutes; an hour means that a pipeline cannot keep up.",
      runbook: "spillway-paused",
      missingData: { treatedAs: "not breaching", because: "a silent flow control has an alarm of its own" },
    },
  ];
}

/** Of an environment that sends notices to a webhook. */
export function webhookAlarms(own: OwnMetrics): readonly AlarmDefinition[] {
  const period = Duration.minutes(5);
  const sum = (name: (typeof names.webhook)[keyof typeof names.webhook]) =>
    own.ofFunction(name, "webhook", { statistic: "Sum", period });
  return [
    {
      name: "webhook-refused",
      severity: "ticket",
      metric: new MathExpression({
        // Nothing is delivered while the receiver is away, so that metric is absent then.
        expression: "tried - FILL(delivered, 0)",
        usingMetrics: {
          tried: sum(names.webhook.deliveriesTried),
          delivered: sum(names.webhook.noticesDelivered),
        },
        period,
      }),
      comparison: ">",
      threshold: 0,
      unit: "calls",
      periods: 3,
      reason:
        "A notice is tried nine times within four minutes and then a dead letter, so a quarter of an hour is no hiccup of the receiver.",
      runbook: "webhook",
      missingData: { treatedAs: "not breaching", because: "without notices there is nothing to deliver" },
    },
  ];
}

export function servingAlarms(own: OwnMetrics): readonly AlarmDefinition[] {
  return [
    {
      name: "sink-refusals",
      severity: "ticket",
      metric: own.ofFunction(names.sink.resultsRefused, "sink", { statistic: "Sum" }),
      comparison: ">",
      threshold: 0,
      unit: "results",
      periods: 1,
      reason:
        "The engine writes no result that the table cannot hold, so each is a bug or a result that is too large.",
      runbook: "dead-letters",
      missingData: NO_REQUESTS,
    },
    {
      name: "sink-latency",
      severity: "ticket",
      metric: own.ofFunction(names.sink.storedMs, "sink", { statistic: "p95" }),
      comparison: ">",
      threshold: LATENCY_FACTOR * baselineMs("sink"),
      unit: "ms",
      periods: 5,
      reason: "Twice the recorded baseline of storing results (lib/observability/latency-baseline.ts).",
      runbook: "functions",
      missingData: NO_REQUESTS,
    },
    {
      name: "redrive-stopped",
      severity: "ticket",
      metric: own.ofFunction(names.redrive.redrivesStopped, "redrive", { statistic: "Sum" }),
      comparison: ">",
      threshold: 0,
      unit: "redrives",
      periods: 1,
      reason:
        "A redrive stops by itself at its failure limit or where Kafka is away, and does not go on by itself.",
      runbook: "dead-letters",
      missingData: NOTHING_TO_SAY,
    },
  ];
}
