/** Every pipeline that is deployed. To add one, write its file in this folder and list it here. */
import type { PipelineDefinition } from "../engine/pipeline/definition.ts";
import { airportDelays } from "./airport-delays.ts";

export const pipelines: readonly PipelineDefinition[] = [airportDelays];
