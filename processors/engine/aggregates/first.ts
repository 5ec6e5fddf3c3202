import type { Aggregate } from "./aggregate.ts";
import type { JsonLike, JsonValueOptions } from "./json-value.ts";
import type { Refusal } from "./refusal.ts";
import { timedValue } from "./timed-value.ts";

/**
 * The value of the earliest event, by event time; of two at the same time, the one that arrived first. (ksqlDB's
 * EARLIEST_BY_OFFSET goes by arrival, Druid's EARLIEST by time.) Where two rows are merged, the one merged into
 * counts as arrived first. Exact. The result is the JSON value, null where there is none.
 *
 * Values are JSON values of at most `maxValueBytes` (default 1,024 bytes): that and a time is the state.
 * @throws AggregateOptionError
 */
export function first<Event, Value extends JsonLike>(
  select: (event: Event) => Value,
  options: JsonValueOptions = {},
): Aggregate<Event, Value | null, string | Refusal> {
  return timedValue("first", select, options, Number.POSITIVE_INFINITY, (timeMs, keptMs) => timeMs < keptMs);
}
