/** A compacted topic as a local table, to be looked up by a stream's key. */
import { PipelineError } from "./checks.ts";
import type { InputDefinition } from "./definition.ts";
import type { Source } from "./source.ts";

export interface Table<Row> {
  readonly topic: string;
  readonly decode: Source<Row>["decode"];
}

/**
 * The newest value of each Kafka key of a topic: {@link events} of the catalogue, or `{ topic, decode }`. The topic must
 * be compacted, or rows would be forgotten, and have as many partitions as the stream, whose key it is looked up by. A
 * record without a value removes its key's row.
 */
export const table = <Row>({ topic, decode }: Table<Row>): Table<Row> => ({ topic, decode });

/** The table as an input of a task: it has no time, so it neither moves the watermark nor holds it back. */
export function tableInput({ topic, decode }: Table<unknown>): InputDefinition {
  const source: Source<unknown> = {
    topic,
    decode,
    time: () => Number.NaN,
    futureBoundMs: () => Number.POSITIVE_INFINITY,
    maxFutureBoundMs: Number.POSITIVE_INFINITY,
  };
  return {
    role: "table",
    topic,
    source,
    outOfOrderMs: 0,
    idleTimeoutMs: null,
    dedupeHorizonMs: null,
    transform: null,
    enrich: null,
    key: () => "",
  };
}

/** Each table once, however many steps look it up. */
export function distinctTables(pipeline: string, tables: readonly Table<unknown>[]): Table<unknown>[] {
  const distinct = new Map<string, Table<unknown>>();
  for (const one of tables) {
    const known = distinct.get(one.topic);
    if (known !== undefined && known !== one) {
      throw new PipelineError(
        `pipeline ${pipeline}: two tables read the topic ${one.topic}; make it once, with table(…), and use that twice`,
      );
    }
    distinct.set(one.topic, one);
  }
  return [...distinct.values()];
}
