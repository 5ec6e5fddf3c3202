/** What users look at in one sitting: page views with no more than half an hour between two of them. */
import { pageViewed } from "../../contracts/events/catalogue.ts";
import {
  count,
  distinct,
  events,
  first,
  HOUR_MS,
  last,
  MINUTE_MS,
  pipeline,
  session,
  Type,
} from "../engine/pipeline/dsl.ts";

/** Web analytics end a session after half an hour without a page view. */
const GAP_MS = 30 * MINUTE_MS;

const { path, device } = pageViewed.data.properties;

// The other pipeline of low priority has room beside it: a service has one priority.
export const userSessions = pipeline("user-sessions", { service: "enriched-telemetry" })
  // Phones send what they gathered every minute or so; what waited for a network longer comes within the lateness.
  .from(events(pageViewed), { outOfOrderMs: 2 * MINUTE_MS })
  .keyBy((view) => view.data.userId)
  .window(session({ gapMs: GAP_MS }), { allowedLatenessMs: HOUR_MS })
  .aggregate({
    views: count(),
    pages: distinct((view) => view.data.path),
    landedOn: first((view) => view.data.path),
    leftFrom: last((view) => view.data.path),
    cameFrom: first((view) => view.data.referrerHost ?? null),
    device: first((view) => view.data.device),
  })
  .schema(
    Type.Object({
      views: Type.Integer(),
      pages: Type.Integer({ description: "different paths" }),
      landedOn: Type.Union([path, Type.Null()]),
      leftFrom: Type.Union([path, Type.Null()]),
      cameFrom: Type.Union([Type.String(), Type.Null()], { description: "the site before, if another" }),
      device: Type.Union([device, Type.Null()]),
    }),
  )
  .toResults();
