/** What an alarm is here: nobody can make one without saying how bad it is, why its threshold is what it is, and what to do. */
import { ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";

/**
 * `page`: results are wrong, missing or late now, and somebody is woken. `ticket`: it becomes that if nobody looks within
 * days. `notice`: worth knowing, such as money that is spent for nothing.
 */
export const severities = ["page", "ticket", "notice"] as const;
export type Severity = (typeof severities)[number];

/** The pages of docs/runbooks. */
export type Runbook =
  | "checkpoints"
  | "dead-letters"
  | "deployment-failed"
  | "flow-control"
  | "functions"
  | "ingest-outage"
  | "kafka"
  | "pipeline-behind"
  | "pipeline-errors"
  | "pipeline-silent"
  | "pipeline-sizing"
  | "spillway-draining"
  | "spillway-paused"
  | "task-parked"
  | "watermark-stalled"
  | "webhook";

export const runbookPath = (runbook: Runbook): string => `docs/runbooks/${runbook}.md`;

export interface AlarmText {
  /** Within the environment; see {@link alarmName}. */
  readonly name: string;
  /** The pipeline, or the stage of one, that it is about. @default the platform */
  readonly about?: string;
  readonly severity: Severity;
  /** Why the threshold is what it is, in one sentence or two. */
  readonly reason: string;
  readonly runbook: Runbook;
}

export interface AlarmDefinition extends AlarmText {
  readonly metric: IMetric;
  readonly comparison: Comparison;
  readonly threshold: number;
  /** What the threshold counts: `s`, `ms`, `%`, `records`; empty for a plain number. */
  readonly unit: string;
  /** Minutes, or the metric's periods, that must breach one after the other. */
  readonly periods: number;
  readonly missingData: MissingData;
}

export type Comparison = ">" | ">=" | "<";

/** What a period without a value counts as, and why that is right for this metric. */
export interface MissingData {
  readonly treatedAs: "breaching" | "not breaching" | "the state before";
  readonly because: string;
}

/** One cause, one message: its members send nothing themselves. */
export interface CompositeDefinition extends AlarmText {
  /** Names of alarms; it is on while any of them is. */
  readonly members: readonly string[];
  /** While this composite is on it sends nothing, since that is the cause. @default it always does */
  readonly suppressedBy?: string;
}

/** What CloudWatch calls an alarm: unique in an account and region. */
export const alarmName = (environment: string, name: string): string => `spillway-${environment}-${name}`;

const comparisons: Readonly<Record<Comparison, ComparisonOperator>> = {
  ">": ComparisonOperator.GREATER_THAN_THRESHOLD,
  ">=": ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  "<": ComparisonOperator.LESS_THAN_THRESHOLD,
};

const treatments: Readonly<Record<MissingData["treatedAs"], TreatMissingData>> = {
  breaching: TreatMissingData.BREACHING,
  "not breaching": TreatMissingData.NOT_BREACHING,
  "the state before": TreatMissingData.IGNORE,
};

export const comparisonOf = ({ comparison }: AlarmDefinition): ComparisonOperator => comparisons[comparison];
export const treatmentOf = ({ missingData }: AlarmDefinition): TreatMissingData =>
  treatments[missingData.treatedAs];

/** What whoever is woken reads first. */
export function describe({ severity, reason, runbook }: AlarmText): string {
  return `[${severity}] ${reason} What to do: ${runbookPath(runbook)}`;
}
