import type { ByteReader, ByteWriter } from "../state/bytes.ts";
import type { Aggregate } from "./aggregate.ts";
import { requireWhole } from "./errors.ts";
import { type JsonLike, type JsonValueOptions, jsonText } from "./json-value.ts";
import { type Refusal, reasonOf } from "./refusal.ts";

const MOST_ITEMS = 100_000;

export interface CollectOptions extends JsonValueOptions {
  /** How many values are kept, 1 to 100,000. */
  readonly maxItems: number;
}

export interface Collected<Value> {
  /** By event time, then arrival. */
  readonly items: readonly Value[];
  /** How many values came beside these and were not kept. */
  readonly truncated: number;
}

/**
 * The values themselves, in the order of event time, and of arrival where times are equal; so the order of arrival
 * changes nothing else. (Flink's ARRAY_AGG and ksqlDB's COLLECT_LIST go by arrival.) Where two rows are merged,
 * the one merged into counts as arrived first.
 *
 * The first `maxItems` by that order are kept; an earlier one that comes late takes the place of the last.
 * `truncated` says how many are missing (ksqlDB leaves them out without a word).
 *
 * State: at most maxItems × (maxValueBytes + 8 bytes). `maxItems` is part of the state's meaning: another is
 * incompatible.
 * @throws AggregateOptionError
 */
export function collect<Event, Value extends JsonLike>(
  select: (event: Event) => Value,
  { maxItems, ...options }: CollectOptions,
): Aggregate<Event, Collected<Value>, string | Refusal> {
  requireWhole("maxItems", maxItems, 1, MOST_ITEMS);
  const toText = jsonText(options);
  const listOf = (slot: unknown) => (slot as TimedTexts | undefined) ?? new TimedTexts();
  return {
    kind: `collect(maxItems=${maxItems})`,
    slots: 1,
    select: (event) => toText(select(event)),
    refuse: reasonOf,
    create: (row, at) => {
      row[at] = undefined;
    },
    add: (row, at, text, timeMs) => {
      const list = listOf(row[at]);
      list.add(text as string, timeMs, maxItems);
      row[at] = list;
    },
    merge: (into, from, at) => {
      if (from[at] === undefined) return;
      const list = listOf(into[at]);
      list.merge(from[at] as TimedTexts, maxItems);
      into[at] = list;
    },
    result: (row, at) => {
      const { texts, truncated } = listOf(row[at]);
      return { items: texts.map((text) => JSON.parse(text)), truncated };
    },
    write: (writer, row, at) => listOf(row[at]).write(writer),
    read: (reader, row, at) => {
      row[at] = TimedTexts.read(reader);
    },
  };
}

/** JSON texts by time; the earliest are kept. */
class TimedTexts {
  readonly timesMs: number[] = [];
  readonly texts: string[] = [];
  truncated = 0;

  add(text: string, timeMs: number, maxItems: number): void {
    if (this.texts.length >= maxItems) {
      this.truncated += 1;
      if (timeMs >= this.timesMs.at(-1)!) return;
      this.timesMs.pop();
      this.texts.pop();
    }
    const at = this.#after(timeMs);
    if (at === this.texts.length) {
      this.timesMs.push(timeMs);
      this.texts.push(text);
    } else {
      this.timesMs.splice(at, 0, timeMs);
      this.texts.splice(at, 0, text);
    }
  }

  merge(from: TimedTexts, maxItems: number): void {
    this.truncated += from.truncated;
    from.texts.forEach((text, index) => {
      this.add(text, from.timesMs[index]!, maxItems);
    });
  }

  write(writer: ByteWriter): void {
    writer.varint(this.truncated);
    writer.varint(this.texts.length);
    this.texts.forEach((text, index) => {
      writer.float64(this.timesMs[index]!);
      writer.text(text);
    });
  }

  static read(reader: ByteReader): TimedTexts | undefined {
    const list = new TimedTexts();
    list.truncated = reader.varint();
    for (let items = reader.varint(); items > 0; items--) {
      list.timesMs.push(reader.float64());
      list.texts.push(reader.text());
    }
    return list.texts.length === 0 ? undefined : list;
  }

  /** Where a value of this time goes that arrived after all others. Most arrive in order. */
  #after(timeMs: number): number {
    let low = 0;
    let high = this.timesMs.length;
    if (high === 0 || this.timesMs[high - 1]! <= timeMs) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timesMs[middle]! <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
