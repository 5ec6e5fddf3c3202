/** The fields of a JSON Schema as people read them: `delayMin: number or null`. */
import type { ResultSchema } from "../../contracts/result-schema.ts";

/** What of JSON Schema is told; of the rest only that there is something. */
interface Schema {
  readonly type?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly description?: unknown;
}

/** Each field with its type, whether it may be missing, and what its description says. */
export function resultFields({ properties, required }: ResultSchema): string[] {
  const always = new Set<string>(required as readonly string[] | undefined);
  return Object.entries(properties as Readonly<Record<string, Schema>>).map(([name, field]) => {
    const optional = always.has(name) ? "" : ", may be missing";
    const description = typeof field.description === "string" ? `; ${field.description}` : "";
    return `${name}: ${typeText(field)}${optional}${description}`;
  });
}

function typeText({ type, const: literal, enum: choices, anyOf, items }: Schema): string {
  if (literal !== undefined) return JSON.stringify(literal);
  if (choices !== undefined) return choices.map((choice) => JSON.stringify(choice)).join(" or ");
  if (anyOf !== undefined) return anyOf.map(typeText).join(" or ");
  if (type === "array") return items === undefined ? "list" : `list of ${itemText(items)}`;
  return typeof type === "string" ? type : "any JSON";
}

/** In brackets where it is one of several: else the last of them could be what is there in the list's place. */
function itemText(items: Schema): string {
  const text = typeText(items);
  return items.anyOf === undefined && items.enum === undefined ? text : `(${text})`;
}
