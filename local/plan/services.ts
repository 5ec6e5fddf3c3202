import { join } from "node:path";
import { arrayOf, numberOf, objectOf, textOf } from "../assembly/json.ts";
import type { Resource } from "../assembly/load.ts";
import { AssemblyError } from "../errors.ts";
import { layOutImage } from "../services/image.ts";
import type { ServiceDefinition } from "../services/service.ts";
import { displayNames, namedValues, type Plan } from "./plan.ts";

/** Fargate's default. */
const DEFAULT_STOP_TIMEOUT_S = 30;
const DEFAULT_MEMORY_MB = 512;
/** So that one can be killed and its tasks are taken over, however few an environment pays for. */
const MIN_PROCESSES = 2;

export interface ServiceSettings {
  /** For every container or function, beside its own. */
  readonly common: Readonly<Record<string, string>>;
  /** Instead of its own, where it has any: what stands in for a service here. */
  readonly urls: Readonly<Record<string, string>>;
}

/** Every ECS service, its image's files laid out below `imagesDirectory`. */
export async function planServices(
  plan: Plan,
  { common, urls }: ServiceSettings,
  imagesDirectory: string,
  warn: (line: string) => void,
): Promise<ServiceDefinition[]> {
  const resources = plan.resources("AWS::ECS::Service");
  const labels = displayNames(resources);
  const definitions: ServiceDefinition[] = [];
  for (const resource of resources) {
    const properties = plan.resolver.properties(resource);
    const task = plan.need(resource, textOf(properties.TaskDefinition), "AWS::ECS::TaskDefinition");
    const { ContainerDefinitions, Memory } = plan.resolver.properties(task);
    const [container, ...others] = arrayOf(ContainerDefinitions).map(objectOf);
    const name = textOf(properties.ServiceName) ?? labels.get(resource)!;
    if (container === undefined) throw new AssemblyError(`${where(task)}: the task has no container.`);
    if (others.length > 0) warn(`${where(task)}: only the first of its containers runs locally.`);
    if (container.Secrets !== undefined) warn(`${where(task)}: the container's secrets are left out.`);
    const tag = (textOf(container.Image) ?? "").split(":").at(-1) ?? "";
    const image = plan.assembly.imageAssets.get(tag);
    if (image === undefined) {
      throw new AssemblyError(
        `${where(task)}: the image ${textOf(container.Image)} is no image asset of this assembly, and none can be pulled here.`,
      );
    }
    definitions.push({
      name,
      image: await layOutImage(image, join(imagesDirectory, name)),
      environment: { ...common, ...withUrls(namedValues(arrayOf(container.Environment)), urls) },
      desiredCount: processCount(numberOf(properties.DesiredCount) ?? leastTasks(plan, resource) ?? 1),
      memoryMb: numberOf(container.Memory) ?? numberOf(Memory) ?? DEFAULT_MEMORY_MB,
      stopTimeoutMs: (numberOf(container.StopTimeout) ?? DEFAULT_STOP_TIMEOUT_S) * 1000,
    });
  }
  return definitions;
}

const processCount = (desired: number): number => (desired === 0 ? 0 : Math.max(desired, MIN_PROCESSES));

/** Of a service whose tasks are counted by a scaling target; nothing scales here. */
function leastTasks(plan: Plan, service: Resource): number | undefined {
  const name = plan.identities.name(service);
  const target = plan.resources("AWS::ApplicationAutoScaling::ScalableTarget").find((resource) => {
    const id = textOf(plan.resolver.property(resource, "ResourceId"));
    return id?.endsWith(`/${name}`);
  });
  return target && numberOf(plan.resolver.properties(target).MinCapacity);
}

export const withUrls = (
  own: Readonly<Record<string, string>>,
  urls: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(own).map(([name, value]) => [name, urls[name] ?? value]));

const where = (resource: Resource): string => `Stack ${resource.stack.name}, resource ${resource.logicalId}`;
