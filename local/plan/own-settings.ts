/** What functions and services are told here in the place of what their template says. */
import { environmentVariables } from "../../contracts/environment.ts";

/** Nobody here pays for a checkpoint, and who looks on waits for its results. */
export const ownCheckpoints: Readonly<Record<string, string>> = {
  [environmentVariables.checkpointIntervalMs]: "1000",
};

/** Traces go to the collector that this platform is started with, all of them; without one nothing is recorded. */
export function ownTraces(): Readonly<Record<string, string>> {
  const { otlpEndpoint, traceSampleRate } = environmentVariables;
  return {
    [otlpEndpoint]: process.env[otlpEndpoint] ?? "",
    [traceSampleRate]: process.env[traceSampleRate] ?? "1",
  };
}
