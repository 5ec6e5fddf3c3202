/** Every pipeline that is deployed. To add one, write its file in this folder and list it here. */
import type { PipelineDefinition } from "../engine/pipeline/dsl.ts";
import { airportDelays } from "./airport-delays.ts";
import { airportDelaysRolling } from "./airport-delays-rolling.ts";
import { enrichedTelemetry } from "./enriched-telemetry.ts";
import { fraudSignals } from "./fraud-signals.ts";
import { userSessions } from "./user-sessions.ts";

export const pipelines: readonly PipelineDefinition[] = [
  airportDelays,
  airportDelaysRolling,
  userSessions,
  fraudSignals,
  enrichedTelemetry,
];
