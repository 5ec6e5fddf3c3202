/** What an environment costs a month, from its templates. */
import { type Line, total } from "./line.ts";
import { shapeOf } from "./shape.ts";
import { standingLines, unknownTypes } from "./standing.ts";
import { resourcesIn, type Template } from "./template.ts";
import { type Load, processorScale, trafficLines } from "./traffic.ts";

export interface Estimate {
  readonly environment: string;
  readonly eventsPerSecond: number;
  readonly lines: readonly Line[];
  readonly usd: number;
  /** Where the load is more than the environment is made for, and what the sum therefore lacks or adds. */
  readonly remarks: readonly string[];
  /** Types of resources whose price is not known to this command, so that the sum may be too small. */
  readonly unknownTypes: readonly string[];
}

const REPLICATION_FACTOR = 3;
const DAY_S = 86_400;
const GIB = 1024 ** 3;

/**
 * @param load of a request's and an event's sizes, and the rate that is asked about
 * @param expectedEventsPerSecond what the environment is made for
 */
export function estimate(
  environment: string,
  templates: readonly Template[],
  load: Load,
  expectedEventsPerSecond: number,
): Estimate {
  const resources = resourcesIn(templates);
  const shape = shapeOf(resources);
  const lines = [...standingLines(resources), ...trafficLines(shape, load)];
  const remarks: string[] = [];
  if (load.eventsPerSecond > expectedEventsPerSecond) {
    remarks.push(
      `it is made for ${expectedEventsPerSecond.toLocaleString("en-US")} events/s (ingest.expected)`,
    );
  }
  const scale = processorScale(shape.services, load.eventsPerSecond);
  if (scale > 1) remarks.push(`${scale.toFixed(1)} times the processors that are configured are in the sum`);
  const bytesPerDay = load.eventsPerSecond * load.eventBytes * REPLICATION_FACTOR * DAY_S;
  const days = bytesPerDay === 0 ? Number.POSITIVE_INFINITY : (shape.diskGib * GIB) / bytesPerDay;
  if (days < shape.retentionDays) {
    remarks.push(
      `its disks hold ${days < 1 ? `${(days * 24).toFixed(1)} h` : `${days.toFixed(1)} days`} of this, and topics keep ${shape.retentionDays} days`,
    );
  }
  return {
    environment,
    eventsPerSecond: load.eventsPerSecond,
    lines,
    usd: total(lines),
    remarks,
    unknownTypes: unknownTypes(resources),
  };
}
