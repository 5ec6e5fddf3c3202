/** What a resolved assembly asks this machine to run, in this platform's own terms. */
import { ACCOUNT_ID, type Addresses, Identities } from "../assembly/identities.ts";
import { Resolver } from "../assembly/intrinsics.ts";
import { arrayOf, type JsonObject, numberOf, objectOf, textOf } from "../assembly/json.ts";
import { type Assembly, type Resource, resourcesOf } from "../assembly/load.ts";
import { isHandled, isInert } from "../assembly/types.ts";
import { AssemblyError } from "../errors.ts";
import type { Topic } from "../kafka/cluster.ts";
import { capReplication, decodeProperties } from "../kafka/server-properties.ts";

/** A table, bucket, queue or stream. */
export interface StoragePlan {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly properties: JsonObject;
}

export interface KafkaPlan {
  readonly topics: readonly Topic[];
  /** What the template's configuration sets for the brokers. */
  readonly serverProperties: Readonly<Record<string, string>>;
}

export const TABLE_TYPES = ["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"];

/** The assembly with every name and address of this run in place. */
export class Plan {
  readonly assembly: Assembly;
  readonly resolver: Resolver;
  readonly identities: Identities;

  constructor(assembly: Assembly, addresses: Addresses) {
    this.assembly = assembly;
    // The two need each other: names may be made of other resources' values, and values are made of names.
    const identities = new Identities(addresses, (resource, name) => this.resolver.property(resource, name));
    this.identities = identities;
    this.resolver = new Resolver(assembly, ACCOUNT_ID, (resource, attribute) =>
      identities.identify(resource, attribute),
    );
  }

  /** Resources of some types whose conditions hold. */
  resources(...types: readonly string[]): Resource[] {
    return resourcesOf(this.assembly, ...types).filter((resource) => this.resolver.exists(resource));
  }

  storage(...types: readonly string[]): StoragePlan[] {
    return this.resources(...types).map((resource) => ({
      logicalId: resource.logicalId,
      name: this.identities.name(resource),
      arn: this.identities.arn(resource),
      properties: this.resolver.properties(resource),
    }));
  }

  /** Topics and broker settings, with replication capped at the brokers there are. */
  kafka(brokers: number): KafkaPlan {
    const topics = this.resources("AWS::MSK::Topic").map((resource): Topic => {
      const properties = this.resolver.properties(resource);
      const configs = decodeProperties(textOf(properties.Configs) ?? "");
      return {
        name: textOf(properties.TopicName) ?? "",
        partitions: numberOf(properties.PartitionCount) ?? 1,
        replicationFactor: Math.min(numberOf(properties.ReplicationFactor) ?? 1, brokers),
        configs: capReplication(configs, brokers),
      };
    });
    const configurations = this.resources("AWS::MSK::Configuration").map((resource) =>
      decodeProperties(textOf(this.resolver.properties(resource).ServerProperties) ?? ""),
    );
    return { topics, serverProperties: Object.assign({}, ...configurations) };
  }

  /** A line for each resource that would do something in AWS and does nothing here. */
  unsupported(): string[] {
    return this.assembly.stacks
      .flatMap(({ resources }) => [...resources.values()])
      .filter((resource) => !isHandled(resource.type) && !isInert(resource.type))
      .filter((resource) => !isBootstrapLookup(resource) && this.resolver.exists(resource))
      .map(({ stack, type, logicalId }) => `${stack.name}: ${type} ${logicalId} is not run locally.`);
  }

  /** Finds the resource an ARN or name in a property stands for. */
  find(value: string | undefined, ...types: readonly string[]): Resource | undefined {
    return this.resources(...types).find(
      (resource) => this.identities.arn(resource) === value || this.identities.name(resource) === value,
    );
  }

  /** The same, where its absence is a mistake in the assembly. */
  need(user: Resource, value: string | undefined, ...types: readonly string[]): Resource {
    const found = this.find(value, ...types);
    if (found !== undefined) return found;
    throw new AssemblyError(
      `Stack ${user.stack.name}, resource ${user.logicalId}: ${value ?? "nothing"} is no ${types.join(" or ")} of this assembly.`,
    );
  }
}

/** The one call of an AwsCustomResource that has an answer here (see Identities). */
const isBootstrapLookup = ({ type, properties: { Create } }: Resource): boolean =>
  type.startsWith("Custom::") && /getBootstrapBrokers/i.test(JSON.stringify(Create ?? ""));

/** Logical ids without the hash that CDK appends, where that still tells them apart. */
export function displayNames(resources: readonly Resource[]): ReadonlyMap<Resource, string> {
  const shortened = resources.map(({ logicalId }) => logicalId.replace(/[0-9A-F]{8}$/, ""));
  const unique = new Set(shortened).size === shortened.length;
  return new Map(
    resources.map((resource, index) => [resource, unique ? shortened[index]! : resource.logicalId]),
  );
}

/** A list of `{Name, Value}` as an object. */
export const namedValues = (list: readonly unknown[]): Record<string, string> =>
  Object.fromEntries(
    arrayOf(list as Parameters<typeof arrayOf>[0]).map((item) => {
      const { Name, Value } = objectOf(item);
      return [textOf(Name) ?? "", textOf(Value) ?? ""];
    }),
  );
