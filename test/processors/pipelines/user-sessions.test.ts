import { expect, test } from "vitest";
import { clickstream } from "../../../cli/generate/clickstream.ts";
import { userSessions } from "../../../processors/pipelines/user-sessions.ts";
import { run } from "../engine/scripted-run.ts";
import { generated } from "./generated.ts";

const GAP_MS = 30 * 60_000;

interface View {
  readonly id: string;
  readonly time: string;
  readonly data: { readonly userId: string; readonly path: string };
}

/** The users' views in order of time, cut where nothing came for longer than the gap. */
function sessionsOf(views: readonly View[]): string[] {
  const lines: string[] = [];
  for (const ofUser of Map.groupBy(views, ({ data }) => data.userId).values()) {
    let session: View[] = [];
    const inTime = [...ofUser].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
    for (const [index, view] of inTime.entries()) {
      session.push(view);
      const next = inTime[index + 1];
      if (next !== undefined && Date.parse(next.time) - Date.parse(view.time) <= GAP_MS) continue;
      lines.push(lineOf(session));
      session = [];
    }
  }
  return lines.sort();
}

function lineOf(session: readonly View[]): string {
  const [first, last] = [session[0]!, session.at(-1)!];
  const pages = new Set(session.map(({ data }) => data.path)).size;
  const window = `${Date.parse(first.time)}..${Date.parse(last.time) + GAP_MS}`;
  return `${first.data.userId} ${window} views=${session.length} pages=${pages} ${first.data.path} ${last.data.path}`;
}

test.each([1, 2])("sessions of generated traffic with seed %i, late and repeated views included", (seed) => {
  const { arrivals } = generated(clickstream(), "clickstream", seed);

  const { table, late, dead, counters } = run(userSessions, arrivals);

  const lateIds = new Set(late.map(({ value }) => (JSON.parse(value) as View).id));
  const delivered = arrivals.flatMap(({ value }) =>
    value === null ? [] : [JSON.parse(value as string) as View],
  );
  const counted = new Map(delivered.filter(({ id }) => !lateIds.has(id)).map((view) => [view.id, view]));
  const rows = table.map(({ key, window, value }) => {
    const { views, pages, landedOn, leftFrom } = value as Record<string, unknown>;
    return `${key} ${window.start}..${window.end} views=${views} pages=${pages} ${landedOn} ${leftFrom}`;
  });
  expect(rows.sort()).toEqual(sessionsOf([...counted.values()]));
  expect(dead).toEqual([]);
  expect(counters.duplicate).toBeGreaterThan(0);
});
