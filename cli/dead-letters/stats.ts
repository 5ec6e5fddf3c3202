import { type ArchiveEntry, entryStates, type Selection } from "../../contracts/dead-letter-archive.ts";
import type { ArchiveIndex } from "../../runtime/archive/archive-index.ts";

/** How many entries there are of a state, a reason, a stage and a type, and from when. */
export interface Row extends Pick<ArchiveEntry, "state" | "reason" | "stage"> {
  /** Empty where the entries' type is not known. */
  readonly type: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Counts the selected entries in every state, reading them page by page. Rows with the most entries come first. */
export async function countEntries(
  index: Pick<ArchiveIndex, "entries">,
  selection: Omit<Selection, "state">,
  nowMs: number,
): Promise<readonly Row[]> {
  const rows = new Map<string, Row>();
  for (const state of entryStates) {
    for await (const entry of index.entries({ ...selection, state }, "oldest first", nowMs)) {
      const { reason, stage, type = "", firstAtMs } = entry;
      const key = JSON.stringify([state, reason, stage, type]);
      const row = rows.get(key);
      rows.set(key, {
        ...{ state, reason, stage, type },
        count: (row?.count ?? 0) + 1,
        firstAtMs: row?.firstAtMs ?? firstAtMs,
        lastAtMs: firstAtMs,
      });
    }
  }
  return [...rows.values()].sort((a, b) => b.count - a.count);
}

export function statsText(rows: readonly Row[]): string {
  if (rows.length === 0) return "there are no entries";
  const iso = (ms: number): string => new Date(ms).toISOString();
  const lines = rows.map(({ state, reason, stage, type, count, firstAtMs, lastAtMs }) =>
    [
      String(count).padStart(8),
      state.padEnd(9),
      reason.padEnd(17),
      stage,
      type || "-",
      `${iso(firstAtMs)} to ${iso(lastAtMs)}`,
    ].join("  "),
  );
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  return [...lines, `${String(total).padStart(8)}  in all`].join("\n");
}
