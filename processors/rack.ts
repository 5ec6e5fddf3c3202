/** Where this process runs, as the brokers' racks are called: then it reads from replicas in its own zone. */
import { environmentVariables } from "../contracts/environment.ts";
import { zoneIdOf } from "../contracts/zones.ts";

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html */
const METADATA_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4";
/** It is on the same host. */
const TIMEOUT_MS = 2_000;

/**
 * The id of the zone that ECS says the task is in. Undefined outside of ECS, and where it cannot be found out, which
 * `onUnknown` is told: reads from the leaders in other zones cost more, and are as right.
 */
export async function rackOf(
  environment: NodeJS.ProcessEnv,
  onUnknown: (error: Error) => void,
): Promise<string | undefined> {
  const metadata = environment[METADATA_VARIABLE];
  const zones = environment[environmentVariables.zones];
  if (metadata === undefined || zones === undefined) return undefined;
  try {
    const response = await fetch(`${metadata}/task`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { AvailabilityZone: name } = (await response.json()) as { readonly AvailabilityZone?: string };
    const id = zoneIdOf(zones, name ?? "");
    if (id === undefined) throw new Error(`ECS says that the task is in ${name}, which is none of ${zones}`);
    return id;
  } catch (error) {
    onUnknown(error as Error);
    return undefined;
  }
}
