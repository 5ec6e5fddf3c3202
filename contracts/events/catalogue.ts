/**
 * The event catalogue: every type that Spillway takes in. To add one, write its definition in this folder and
 * list it here; its topic, its validation and its documentation follow. To add or change one, release it as well:
 * `npm run schemas -- release` (docs/events.md).
 */
import type { EventDefinition } from "./define.ts";
import { flightDeparted } from "./flight-departed.ts";
import { pageViewed } from "./page-viewed.ts";
import { telemetryReported } from "./telemetry-reported.ts";
import { locationReported, loginSucceeded, paymentMade } from "./user-activity.ts";

export { type DataOf, type EventDefinition, topicOfPriority, topicsOfType } from "./define.ts";
export { flightDeparted, locationReported, loginSucceeded, pageViewed, paymentMade, telemetryReported };

export const catalogue: readonly EventDefinition[] = [
  flightDeparted,
  loginSucceeded,
  paymentMade,
  locationReported,
  pageViewed,
  telemetryReported,
] as readonly EventDefinition[];
