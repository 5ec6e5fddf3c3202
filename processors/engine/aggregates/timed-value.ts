/** One JSON value and the time of its event: what first and last keep. */
import type { Aggregate, Row } from "./aggregate.ts";
import { type JsonLike, type JsonValueOptions, jsonText } from "./json-value.ts";
import { type Refusal, reasonOf } from "./refusal.ts";

/** Text that is no JSON: nothing is kept yet. */
const NOTHING = "";

/**
 * @param empty a time that every other beats
 * @param beats whether an event that arrives now, with `timeMs`, takes the place of the one kept
 */
export function timedValue<Event, Value extends JsonLike>(
  kind: string,
  select: (event: Event) => Value,
  options: JsonValueOptions,
  empty: number,
  beats: (timeMs: number, keptMs: number) => boolean,
): Aggregate<Event, Value | null, string | Refusal> {
  const toText = jsonText(options);
  const add = (row: Row, at: number, text: unknown, timeMs: number) => {
    if (!beats(timeMs, row[at] as number)) return;
    row[at] = timeMs;
    row[at + 1] = text;
  };
  return {
    kind,
    slots: 2,
    select: (event) => toText(select(event)),
    refuse: reasonOf,
    create: (row, at) => {
      row[at] = empty;
      row[at + 1] = NOTHING;
    },
    add,
    merge: (into, from, at) => add(into, at, from[at + 1], from[at] as number),
    result: (row, at) => {
      const text = row[at + 1] as string;
      return text === NOTHING ? null : JSON.parse(text);
    },
    write: (writer, row, at) => {
      writer.float64(row[at] as number);
      writer.text(row[at + 1] as string);
    },
    read: (reader, row, at) => {
      row[at] = reader.float64();
      row[at + 1] = reader.text();
    },
  };
}
