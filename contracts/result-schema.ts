/** The schema that a pipeline may state of its results: in TypeBox, like the catalogue's schemas of events. */
import { type Static, type TObject, Type } from "typebox";

export { Type };

/** A result is an object, so its schema is made with `Type.Object({ … })`. */
export type ResultSchema = TObject;

/** What a schema says of a result's value. */
export type ResultOf<Schema extends ResultSchema> = Static<Schema>;
