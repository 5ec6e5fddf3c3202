/** The schema of a pipeline's results: whether what its last step makes fits, to the compiler and when it is made. */
import type { ResultOf, ResultSchema } from "../../../contracts/result-schema.ts";
import type { DeepReadonly } from "../operators/frozen-json.ts";
import type { OperatorSchema } from "../operators/operator.ts";
import { PipelineError, shown } from "./checks.ts";

/** Nothing more where every result is one of the schema's; else what the schema cannot have, so that the error says it. */
export type Fitting<Result, Schema extends ResultSchema> = [Result] extends [DeepReadonly<ResultOf<Schema>>]
  ? unknown
  : { readonly "these fields are not what the schema says": Misfits<Result, DeepReadonly<ResultOf<Schema>>> };

/** The names of the fields that the result lacks, or has of another type. */
type Misfits<Result, Stated> = {
  [Name in keyof Stated]-?: Result extends Pick<Stated, Name> ? never : Name;
}[keyof Stated];

/**
 * @param made the schema of the step's state; it knows the names of aggregates, and nothing of what user code returns
 * @throws PipelineError where the schema is of no object, or of other fields than the aggregates'
 */
export function requireResultSchema(
  pipeline: string,
  series: string,
  schema: ResultSchema,
  { aggregates }: OperatorSchema,
): void {
  const where = whereOf(pipeline, series);
  if (!isObjectSchema(schema)) {
    throw new PipelineError(
      `${where}: the schema of its results is ${shown(schema)}; make it with Type.Object({ … })`,
    );
  }
  if (aggregates.length === 0) return;
  const names = aggregates.map(({ name }) => name);
  requireMade(where, schema, names);
  requireKnown(where, schema, names);
}

function whereOf(pipeline: string, series: string): string {
  const branch = series.slice(pipeline.length + 1);
  return `pipeline ${pipeline}${branch === "" ? "" : `, branch ${branch}`}`;
}

/** A module that is run without its types being checked may have any. */
function isObjectSchema(schema: Partial<ResultSchema> | null | undefined): boolean {
  if (schema?.type !== "object" || typeof schema.properties !== "object" || schema.properties === null) {
    return false;
  }
  return schema.required === undefined || Array.isArray(schema.required);
}

function requireMade(where: string, { required }: ResultSchema, names: readonly string[]): void {
  const missing = (required as readonly string[] | undefined)?.find((name) => !names.includes(name));
  if (missing === undefined) return;
  throw new PipelineError(
    `${where}: the schema requires the field "${missing}", which no aggregate makes; aggregate() makes ` +
      `${names.join(", ")}: add it there, or make it Type.Optional or drop it in the schema`,
  );
}

/** An open schema says nothing of the fields that it does not name. */
function requireKnown(where: string, schema: ResultSchema, names: readonly string[]): void {
  const { properties, additionalProperties } = schema as ResultSchema & { additionalProperties?: unknown };
  const unknown = names.find((name) => !Object.hasOwn(properties, name));
  if (additionalProperties !== false || unknown === undefined) return;
  throw new PipelineError(
    `${where}: aggregate() makes the field "${unknown}", which the schema does not know and does not allow; ` +
      "add it to the schema, or drop it or additionalProperties: false",
  );
}
