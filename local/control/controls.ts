import type { LambdaFunction } from "../functions/function.ts";
import type { Broker } from "../kafka/broker.ts";
import type { Link } from "../links/link.ts";
import { displayNames, TABLE_TYPES } from "../plan/plan.ts";
import type { Platform } from "../platform.ts";
import type { Service } from "../services/service.ts";
import type { Controls } from "./control-server.ts";

/** The control server's view of a platform. */
export function controlsOf(platform: Platform): Controls {
  const onBroker = async (id: number, act: (broker: Broker) => Promise<void>): Promise<boolean> => {
    const broker = platform.cluster?.brokers.find((candidate) => candidate.id === id);
    if (broker !== undefined) await act(broker);
    return broker !== undefined;
  };
  const onLink = (name: string, act: (link: Link) => void): boolean => {
    const link = platform.links.get(name);
    if (link !== undefined) act(link);
    return link !== undefined;
  };
  const onService = (name: string, act: (service: Service) => boolean): boolean => {
    const service = platform.services.get(name);
    return service !== undefined && act(service);
  };
  return {
    state: () => stateOf(platform),
    services: {
      kill: (name, index) => onService(name, (service) => service.kill(index)),
      pause: (name, index) => onService(name, (service) => service.pause(index)),
      continue: (name, index) => onService(name, (service) => service.continue(index)),
      scale: async (name, count) => {
        const service = platform.services.get(name);
        await service?.scale(count);
        return service !== undefined;
      },
    },
    links: {
      cut: (name) => onLink(name, (link) => link.cut()),
      cutAt: (name, cutAt) => onLink(name, (link) => link.cutAt(cutAt)),
      hang: (name) => onLink(name, (link) => link.hang()),
      reset: (name) => onLink(name, (link) => link.reset()),
      restore: (name) => onLink(name, (link) => link.restore()),
    },
    brokers: {
      kill: (id) => onBroker(id, (broker) => broker.kill()),
      stop: (id) => onBroker(id, (broker) => broker.stop()),
      start: (id) => onBroker(id, (broker) => broker.start()),
    },
    invoke: async (name, payload) => functionsByLabel(platform).get(name)?.invoke(payload),
  };
}

function stateOf(platform: Platform): object {
  const { cluster, plan } = platform;
  const apis = displayNames([...platform.apiServers.keys()]);
  const storage = (...types: readonly string[]): Record<string, string> =>
    Object.fromEntries(plan.storage(...types).map(({ logicalId, name }) => [logicalId, name]));
  return {
    apis: Object.fromEntries(
      [...platform.apiServers].map(([api, server]) => [
        apis.get(api),
        { url: server.url, routes: server.routeKeys },
      ]),
    ),
    bootstrapServers: platform.bootstrapServers,
    brokers: cluster?.brokers.map(({ id, pid }) => ({ id, pid, running: pid !== undefined })) ?? [],
    services: Object.fromEntries(
      [...platform.services].map(([name, service]) => [
        name,
        { desiredCount: service.definition.desiredCount, processes: service.processes },
      ]),
    ),
    functions: Object.fromEntries(
      [...functionsByLabel(platform)].map(([name, { definition, pids, coldStarts, errors, throttles }]) => [
        name,
        {
          functionName: definition.name,
          environment: definition.environment,
          environments: pids.length,
          pids,
          coldStarts,
          errors,
          throttles,
        },
      ]),
    ),
    webhook: { url: platform.notices?.webhookUrl },
    mappings: Object.fromEntries([...platform.mappings].map(([name, { state }]) => [name, state])),
    links: [...platform.links.values()].map(({ state }) => state),
    tables: storage(...TABLE_TYPES),
    buckets: storage("AWS::S3::Bucket"),
    queues: storage("AWS::SQS::Queue"),
    streams: storage("AWS::Kinesis::Stream"),
    secrets: storage("AWS::SecretsManager::Secret"),
    emulators: Object.fromEntries([...platform.emulators].map(([name, { pid }]) => [name, { pid }])),
    environment: platform.environment,
    warnings: platform.warnings,
    runDirectory: platform.runDirectory,
  };
}

function functionsByLabel(platform: Platform): Map<string, LambdaFunction> {
  const labels = displayNames([...platform.functions.keys()]);
  return new Map([...platform.functions].map(([resource, lambda]) => [labels.get(resource)!, lambda]));
}
