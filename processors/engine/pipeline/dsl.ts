/**
 * The pipeline DSL. A pipeline says where its events come from, what they are grouped by, how time is cut, what
 * is kept of each group, and where the results go:
 *
 *     pipeline("airport-delays", { service: "analytics" })
 *       .from(events(flightDeparted), { outOfOrderMs: HOUR_MS })
 *       .keyBy((flight) => flight.data.origin)
 *       .window(tumbling({ sizeMs: HOUR_MS }))
 *       .aggregate({ flights: count(), worst: max((flight) => flight.data.delayMin) })
 *       .toResults();
 *
 * It may state what its results are, before `toResults`: `.schema(Type.Object({ flights: Type.Integer(), … }))`.
 *
 * What types cannot say is checked when the pipeline is made, and throws {@link PipelineError}, so before anything
 * is consumed; an aggregate's own options throw AggregateOptionError when the aggregate is made.
 */
import { requireBacklog, requireEntries, requireIds, requireName } from "./checks.ts";
import { type ScalingOptions, scalingRules } from "./scaling.ts";
import { requireStartAt, type StartAt } from "./start-at.ts";
import { PipelineStart } from "./stream.ts";

export { type ResultOf, type ResultSchema, Type } from "../../../contracts/result-schema.ts";
export type { Aggregate } from "../aggregates/aggregate.ts";
export { type Collected, collect } from "../aggregates/collect.ts";
export { aggregate, type CustomAggregate } from "../aggregates/custom.ts";
export { distinct } from "../aggregates/distinct.ts";
export { first } from "../aggregates/first.ts";
export { distinctApprox } from "../aggregates/hyper-log-log.ts";
export { last } from "../aggregates/last.ts";
export { count, max, mean, min, sum } from "../aggregates/numeric.ts";
export { quantiles } from "../aggregates/quantiles.ts";
export { sumBigInt } from "../aggregates/sum-big-int.ts";
export { topK } from "../aggregates/top-k.ts";
export { stddev, variance } from "../aggregates/variance.ts";
export { keyedState, type StateCodec } from "../operators/process/keyed-state.ts";
export type { EventContext, ProcessFunctions, TimerContext } from "../operators/process/process-functions.ts";
export { everyEventTimeMs, onClose, onUpdate } from "../windows/emission.ts";
export {
  everyCount,
  global,
  hopping,
  session,
  sliding,
  tumbling,
  type WindowDefinition,
} from "../windows/window.ts";
export { PipelineError } from "./checks.ts";
export type { CorrelateOptions, Correlation } from "./correlate-step.ts";
export type { PipelineDefinition } from "./definition.ts";
export type { EnrichOptions, OptionalEnrichOptions } from "./enrich-step.ts";
export { TryLaterError } from "./enrichment.ts";
export type { JoinOptions } from "./join-step.ts";
export { type JsonFieldKind, type JsonFieldKinds, type JsonFields, jsonFields } from "./json-fields.ts";
export type { Output, Outputs, ResultsOptions } from "./outputs.ts";
export type { ProcessOptions } from "./process-step.ts";
export type { RekeyOptions } from "./rekey.ts";
export type { ScalingOptions, ScalingSchedule } from "./scaling.ts";
export { type SideStream, stream } from "./side-stream.ts";
export { type CustomSource, type EventOf, events, eventsOfPriority, type Source } from "./source.ts";
export type { StartAt } from "./start-at.ts";
export type { KeyedStream } from "./stream.ts";
export type { FromOptions } from "./stream-parts.ts";
export { type Table, table } from "./table.ts";
export type { WindowOptions } from "./window-step.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export interface PipelineOptions {
  /** The Fargate service that runs it. Default: a service of its own, called like the pipeline. */
  readonly service?: string;
  /** Where it begins while it has no state, see {@link StartAt}; later it has no effect. Default: `earliest`. */
  readonly startAt?: StartAt;
  /**
   * Rows, keyed states, timers, held events and rows of tables that one task may hold. Past it an event that would need
   * another goes to the dead letters (`state-full`), and what is there goes on. Default: 2,000,000, about half a
   * gigabyte where a row has four numbers (docs/engine.md says how to calculate it).
   */
  readonly maxEntriesPerTask?: number;
  /** Ids that one task may remember for dedupe; past it new events go to the dead letters too. Default: 10,000,000. */
  readonly maxIdsPerTask?: number;
  /**
   * Records that may wait for one task: more of them for five minutes raise an alarm. Default: 10,000, what a task that
   * clears 1,000 a second works off in ten.
   */
  readonly maxBacklogRecordsPerTask?: number;
  /** How its service's number of tasks follows its load. Default: one more task at a backlog of 10 s, no schedule. */
  readonly scaling?: ScalingOptions;
}

const DEFAULT_MAX_ENTRIES_PER_TASK = 2_000_000;
const DEFAULT_MAX_IDS_PER_TASK = 10_000_000;
const DEFAULT_MAX_BACKLOG_RECORDS_PER_TASK = 10_000;

/** Starts a pipeline. Its name is lower-case words joined by hyphens; it names topics, groups and routes. */
export function pipeline(name: string, options: PipelineOptions = {}): PipelineStart {
  requireName("pipeline name", name);
  const { service = name, startAt = "earliest" } = options;
  const { maxEntriesPerTask = DEFAULT_MAX_ENTRIES_PER_TASK, maxIdsPerTask = DEFAULT_MAX_IDS_PER_TASK } =
    options;
  const { maxBacklogRecordsPerTask = DEFAULT_MAX_BACKLOG_RECORDS_PER_TASK } = options;
  requireName(`pipeline ${name}: service`, service);
  requireEntries(name, maxEntriesPerTask);
  requireIds(name, maxIdsPerTask);
  requireBacklog(name, maxBacklogRecordsPerTask);
  requireStartAt(name, startAt);
  return new PipelineStart({
    name,
    service,
    startAt,
    maxEntriesPerTask,
    maxIdsPerTask,
    maxBacklogRecordsPerTask,
    scaling: scalingRules(name, options.scaling ?? {}),
  });
}
