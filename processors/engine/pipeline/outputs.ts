/** What a pipeline, or a branch of it, makes of its events, and how that completes it. */
import type { ResultSchema } from "../../../contracts/result-schema.ts";
import type { Access } from "../../../contracts/served-series.ts";
import { lookup } from "../operators/lookup.ts";
import type { OperatorDefinition } from "../operators/operator.ts";
import { TransformedDefinition } from "../operators/transformed.ts";
import { PipelineError, shown } from "./checks.ts";
import { type PipelineDefinition, type ResultSchemas, settingsOf, type Transform } from "./definition.ts";
import { type Fitting, requireResultSchema } from "./result-schema.ts";
import { inputsOf, requireDistinctTopics, rightInputOf } from "./side-stream.ts";
import { requireSpillBudgets } from "./spill-budget.ts";
import { requireStartable } from "./start-at.ts";
import type { FromOptions, KeyedStreamParts } from "./stream-parts.ts";
import { distinctTables, type Table, tableInput } from "./table.ts";

export interface KeyedParts {
  readonly stream: KeyedStreamParts;
  /** What the results are called. */
  readonly series: string;
  /** The stream that it is joined with. */
  readonly right?: KeyedStreamParts;
  /** The tables that were looked up since keyBy, with the steps before each. */
  readonly lookups: readonly Lookup[];
  /** Steps since keyBy, or since the last look-up. */
  readonly transform: Transform | null;
}

export interface Lookup {
  readonly before: Transform | null;
  readonly table: Table<unknown>;
  readonly join: (element: unknown, row: unknown) => unknown;
}

/** An operator with the steps between keyBy and itself. */
export function outputOf<Result extends object>(
  parts: KeyedParts,
  operator: OperatorDefinition,
): Output<Result> {
  const joined = parts.right === undefined ? undefined : rightInputOf(parts.stream);
  const behindLookups = after(parts.transform, operator, joined);
  const complete = parts.lookups.reduceRight(
    (inner, { before, table, join }) =>
      after(before, new TransformedDefinition(inner, lookup(table.topic, join), joined), joined),
    behindLookups,
  );
  return new Output<Result>(parts, [complete]);
}

/** @param joined index of the input that the stream is joined with: the stream's steps are none of its events' */
function after(
  transform: Transform | null,
  operator: OperatorDefinition,
  joined?: number,
): OperatorDefinition {
  return transform === null
    ? operator
    : new TransformedDefinition(operator, { open: () => transform }, joined);
}

/** How the results of a pipeline, of all its branches, are served. */
export interface ResultsOptions {
  /**
   * `public`: anybody may read them through the CDN, where the environment has one, and shared caches keep them.
   * Default: `private`, so only callers who sign their requests and are allowed to.
   */
  readonly access?: Access;
  /**
   * Whether each new result is put on the event bus and sent to the webhook, at least once, under an id that stays the
   * same. It needs a schema of every output, as others are told of it. Default: false.
   */
  readonly notify?: boolean;
}

/** What a pipeline, or a branch of it, makes of its events. */
export class Outputs {
  readonly parts: KeyedParts;
  readonly operators: readonly OperatorDefinition[];
  /** Every table that its steps look up. */
  readonly tables: readonly Table<unknown>[];
  /** What was stated of its results, by the name that they are written under. */
  readonly schemas: ResultSchemas;

  constructor(
    parts: KeyedParts,
    operators: readonly OperatorDefinition[],
    tables: readonly Table<unknown>[] = parts.lookups.map(({ table }) => table),
    schemas: ResultSchemas = new Map(),
  ) {
    this.parts = parts;
    this.operators = operators;
    this.tables = tables;
    this.schemas = schemas;
  }

  /**
   * Writes results to `<name>.results`, or `<name>.<branch>.results` for each branch. Completes the pipeline.
   * @throws PipelineError where it notifies of results of which it does not state what they are
   */
  toResults({ access = "private", notify = false }: ResultsOptions = {}): PipelineDefinition {
    const { stream, right } = this.parts;
    const { name, upstream } = stream;
    const streams = inputsOf(stream, right, (dedupe) => dedupeHorizonOf(name, dedupe, this.operators));
    const inputs = [...streams, ...distinctTables(name, this.tables).map(tableInput)];
    requireDistinctTopics(name, inputs);
    const { operators } = this;
    requireDistinctSeries(name, operators);
    requireServable(name, { access, notify }, operators, this.schemas);
    const definition: PipelineDefinition = Object.freeze({
      name,
      ...settingsOf(stream),
      inputs,
      operators,
      resultSchemas: this.schemas,
      access,
      notify,
      upstream,
      forwards: null,
    });
    return requireSpillBudgets(requireStartable(definition));
  }
}

/** The one output of a pipeline or of a branch. Its type says what the results are. */
export class Output<Result extends object> extends Outputs {
  /** Only the type of its results. */
  declare readonly Result: Result;

  /**
   * States what the results are. A field that the schema requires and nothing makes, or that is of another type, does
   * not compile. In a module that is run without its types being checked, the names of its aggregates are compared with
   * the schema's when the pipeline is made. No result is validated while it runs: that would cost each of them.
   * @example .aggregate({ flights: count() }).schema(Type.Object({ flights: Type.Integer() })).toResults()
   * @throws PipelineError where the schema is of no object, or of other fields than the aggregates'
   */
  schema<Schema extends ResultSchema>(schema: Schema & Fitting<Result, Schema>): Outputs {
    return stating(this, schema);
  }
}

/**
 * An output of which it is stated what its results are.
 * @throws PipelineError where the schema is of no object, or of other fields than the aggregates'
 */
export function stating({ parts, operators, tables }: Outputs, schema: ResultSchema): Outputs {
  const { stream, series } = parts;
  requireResultSchema(stream.name, series, schema, operators[0]!.schema);
  return new Outputs(parts, operators, tables, new Map([[series, schema]]));
}

export function dedupeHorizonOf(
  name: string,
  dedupe: FromOptions["dedupe"],
  operators: readonly OperatorDefinition[],
): number | null {
  if (dedupe === false) return null;
  if (dedupe !== undefined) return dedupe.horizonMs;
  const horizonMs = Math.max(...operators.map((operator) => operator.horizonMs));
  if (Number.isFinite(horizonMs)) return horizonMs;
  throw new PipelineError(
    `pipeline ${name}: an event may change its state for ever, so ids would be remembered for ever; ` +
      "say dedupe: { horizonMs } or dedupe: false",
  );
}

/** @throws PipelineError where a branch's output is not made of the stream that it is given, or is a join */
export function requireOfBranch(branch: string, { stream, series }: KeyedParts, output: Outputs): void {
  const { name } = stream;
  if (output.parts.right !== undefined) {
    throw new PipelineError(
      `pipeline ${name}: join() cannot be in a branch: its stream is the whole pipeline's`,
    );
  }
  const isOwn = (operator: OperatorDefinition) =>
    operator.series === series || operator.series.startsWith(`${series}.`);
  if (output.parts.stream === stream && output.operators.every(isOwn)) return;
  throw new PipelineError(
    `pipeline ${name}: the branch ${branch} returns an output of another stream; ` +
      "make it of the one that its function is given",
  );
}

/** A module that is run without its types being checked may say anything; a slip here would publish, or tell nobody. */
function requireServable(
  pipeline: string,
  { access, notify }: Required<ResultsOptions>,
  operators: readonly OperatorDefinition[],
  schemas: ResultSchemas,
): void {
  if (access !== "private" && access !== "public") {
    throw new PipelineError(`pipeline ${pipeline}: access is ${shown(access)}; say "private" or "public"`);
  }
  if (typeof notify !== "boolean") {
    throw new PipelineError(`pipeline ${pipeline}: notify is ${shown(notify)}; say true or false`);
  }
  const unstated = operators.find(({ series }) => !schemas.has(series));
  if (!notify || unstated === undefined) return;
  throw new PipelineError(
    `pipeline ${pipeline}: it notifies of the results ${unstated.series}, and does not state what they are; ` +
      "add .schema(Type.Object({ … })) before toResults, or results to process()",
  );
}

/** Two outputs of one name would write the same rows, and one of them lose its state in a crash. */
function requireDistinctSeries(pipeline: string, operators: readonly OperatorDefinition[]): void {
  const names = operators.map(({ series }) => series);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw new PipelineError(
    `pipeline ${pipeline}: two outputs are called ${twice}; give their branches names of their own`,
  );
}
