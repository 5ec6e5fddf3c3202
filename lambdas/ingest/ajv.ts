/** The one Ajv configuration: the validators that tests compile and those that are deployed must not differ. */
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/** Ajv stops at the first failed rule: an answer names one field, and a hostile event cannot collect errors. */
export function makeAjv(): Ajv {
  const ajv = new Ajv({ code: { source: true, esm: true }, allErrors: false, strict: true });
  addFormats.default(ajv);
  return ajv;
}
