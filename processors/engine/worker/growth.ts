/** By how much a task's counters grew from one checkpoint to the next. */
import type { Counters } from "../state/task-state.ts";

export function growth(before: Readonly<Counters>, after: Readonly<Counters>): Counters {
  return {
    counted: after.counted - before.counted,
    late: after.late - before.late,
    duplicate: after.duplicate - before.duplicate,
    dead: after.dead - before.dead,
    ignored: after.ignored - before.ignored,
    results: after.results - before.results,
  };
}
