/**
 * The catalogue's `data` validators, compiled by Ajv when this module is imported: what tests and a run from
 * source use. The deployed bundle gets the same functions as ready-made code instead, so that nothing is compiled
 * in a cold start and no `eval` is needed (see generate-validators.ts).
 */
import { catalogue } from "../../contracts/events/catalogue.ts";
import { makeAjv } from "./ajv.ts";

/** One failed rule; the first is the one that is reported. `instancePath` is a JSON pointer into `data`. */
export interface ValidationError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Says whether `data` matches the type's schema; after false, `errors` holds why. */
export interface DataValidator {
  (data: unknown): boolean;
  errors?: readonly ValidationError[] | null;
}

const ajv = makeAjv();

/** A validator for every type of the catalogue, by CloudEvents `type`. */
export const validators: ReadonlyMap<string, DataValidator> = new Map(
  catalogue.map((definition): [string, DataValidator] => [definition.type, ajv.compile(definition.data)]),
);
