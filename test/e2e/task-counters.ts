import { GroupProgress } from "../../cli/demo/group.ts";
import { readManifests } from "../../cli/demo/tasks.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import type { RunningPlatform } from "./running-platform.ts";

/** The counters of a pipeline's tasks, summed, once everything on the topic has been committed. */
export async function taskCounters(
  { admin, control }: RunningPlatform,
  group: string,
  topic: string,
): Promise<Record<string, number>> {
  const progress = new GroupProgress(admin, group, topic);
  await eventually(async () => (await progress.lag()) === 0 || undefined);
  const { store } = new Checkpoints(await control.state());
  const sums: Record<string, number> = {};
  for (const { counters } of await readManifests(store, admin, group, topic)) {
    for (const [name, value] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}
