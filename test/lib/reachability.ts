/**
 * Whether what runs in a VPC can reach what it calls, by the templates alone: security groups on both sides, routes, NAT and
 * endpoints. Knows what these templates use of EC2, and takes the rest for closed.
 */
import { environmentVariables } from "../../contracts/environment.ts";

/** A template as CloudFormation gets it. */
export interface StackTemplate {
  readonly Resources: Record<string, TemplateResource>;
  readonly Outputs?: Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>;
}

interface TemplateResource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types.
  Properties?: any;
}

/** Where MSK takes connections that sign in with IAM. */
const KAFKA_PORT = 9098;
const HTTPS_PORT = 443;
const ANYWHERE = "0.0.0.0/0";
const GATEWAY_SERVICES = ["dynamodb", "s3"];

/** Sits in subnets and has security groups. `name` is its stack and logical id. */
interface Client {
  readonly name: string;
  readonly subnets: readonly string[];
  readonly groups: readonly string[];
  readonly usesKafka: boolean;
  /** As endpoints are called: `dynamodb`, `ecr.api`. */
  readonly services: readonly string[];
}

/** A sentence for each call that would not get through, of everything in an environment's templates. */
export function unreachable(templates: Readonly<Record<string, StackTemplate>>): readonly string[] {
  const network = new Network(templates);
  const [cluster] = network.all("AWS::MSK::Cluster");
  if (cluster === undefined) return ["There is no cluster."];
  const nodes = cluster.properties.BrokerNodeGroupInfo;
  const brokers = cluster.resolveAll(nodes.SecurityGroups);
  const pollers: Client = {
    name: "pollers of event source mappings",
    subnets: cluster.resolveAll(nodes.ClientSubnets),
    groups: brokers,
    usesKafka: true,
    // https://docs.aws.amazon.com/lambda/latest/dg/with-msk-cluster-network.html
    services: ["lambda", "sts"],
  };
  const isMapped = network
    .all("AWS::Lambda::EventSourceMapping")
    .some(({ properties }) => properties.Topics !== undefined);
  const clients = [...functionsOf(network), ...servicesOf(network), ...(isMapped ? [pollers] : [])];
  return clients.flatMap((client) => [
    ...(client.usesKafka ? kafkaFaults(network, client, brokers) : []),
    ...client.services.flatMap((service) => serviceFaults(network, client, service)),
  ]);
}

function kafkaFaults(
  network: Network,
  { name, groups, subnets }: Client,
  brokers: readonly string[],
): string[] {
  if (subnets.length === 0) return [`${name} is told the brokers' addresses and is in no VPC`];
  const faults: string[] = [];
  if (!network.lets("egress", groups, brokers, KAFKA_PORT)) {
    faults.push(`${name} may not leave its group for the brokers' on ${KAFKA_PORT}`);
  }
  if (!network.lets("ingress", brokers, groups, KAFKA_PORT)) {
    faults.push(`the brokers' group does not let ${name} in on ${KAFKA_PORT}`);
  }
  return faults;
}

function serviceFaults(network: Network, { name, groups, subnets }: Client, service: string): string[] {
  if (subnets.length === 0) return [];
  if (!network.lets("egress", groups, [ANYWHERE], HTTPS_PORT)) {
    return [`${name} may not leave its group on ${HTTPS_PORT} for ${service}`];
  }
  return subnets
    .filter((subnet) => !network.hasWay(subnet, service, groups))
    .map((subnet) => `${name} has no way from ${subnet} to ${service}`);
}

/** What Lambda itself does for a function does not go through the function's network. */
const DONE_BY_LAMBDA = ["ec2", "kafka", "logs"];

function functionsOf(network: Network): Client[] {
  return network.all("AWS::Lambda::Function").map((resource) => {
    const { VpcConfig = {}, Environment, Role } = resource.properties;
    const services = network.servicesOf(resource.resolve(Role));
    return {
      name: resource.name,
      subnets: resource.resolveAll(VpcConfig.SubnetIds),
      groups: resource.resolveAll(VpcConfig.SecurityGroupIds),
      usesKafka: environmentVariables.bootstrapServers in (Environment?.Variables ?? {}),
      services: services.filter((service) => !DONE_BY_LAMBDA.includes(service)),
    };
  });
}

function servicesOf(network: Network): Client[] {
  return network.all("AWS::ECS::Service").map((resource) => {
    const { AwsvpcConfiguration: vpc } = resource.properties.NetworkConfiguration;
    const task = network.find(resource.resolve(resource.properties.TaskDefinition)!);
    const { TaskRoleArn, ExecutionRoleArn, ContainerDefinitions } = task.properties;
    const variables = ContainerDefinitions.flatMap(
      ({ Environment = [] }: { Environment?: readonly { readonly Name: string }[] }) =>
        Environment.map(({ Name }) => Name),
    );
    return {
      name: resource.name,
      subnets: resource.resolveAll(vpc.Subnets),
      groups: resource.resolveAll(vpc.SecurityGroups),
      usesKafka: variables.includes(environmentVariables.bootstrapServers),
      services: [TaskRoleArn, ExecutionRoleArn].flatMap((role) => network.servicesOf(task.resolve(role))),
    };
  });
}

interface Rule {
  readonly direction: "egress" | "ingress";
  readonly group: string;
  /** A group's name, or addresses. */
  readonly peer: string | undefined;
  readonly fromPort: number;
  readonly toPort: number;
}

/** A resource with what it refers to, in its own stack or through an export of another. */
class Located {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types.
  readonly properties: any;
  readonly #network: Network;
  readonly #stack: string;

  constructor(network: Network, stack: string, logicalId: string, { Properties = {} }: TemplateResource) {
    this.#network = network;
    this.#stack = stack;
    this.name = `${stack}/${logicalId}`;
    this.properties = Properties;
  }

  resolve(value: unknown): string | undefined {
    return this.#network.resolve(this.#stack, value);
  }

  resolveAll(values: readonly unknown[] = []): string[] {
    return values.map((value) => this.resolve(value) ?? JSON.stringify(value));
  }
}

class Network {
  readonly #templates: Readonly<Record<string, StackTemplate>>;
  readonly #rules: readonly Rule[];

  constructor(templates: Readonly<Record<string, StackTemplate>>) {
    this.#templates = templates;
    this.#rules = [...this.#inlineRules(), ...this.#ruleResources()];
  }

  all(type: string): Located[] {
    return Object.entries(this.#templates).flatMap(([stack, { Resources }]) =>
      Object.entries(Resources)
        .filter(([, { Type }]) => Type === type)
        .map(([logicalId, resource]) => new Located(this, stack, logicalId, resource)),
    );
  }

  find(name: string): Located {
    const [stack, logicalId] = name.split("/") as [string, string];
    return new Located(this, stack, logicalId, this.#templates[stack]!.Resources[logicalId]!);
  }

  /** The name of the resource that a reference leads to. */
  resolve(stack: string, value: unknown): string | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    const reference = value as Record<string, unknown>;
    if (typeof reference.Ref === "string") return `${stack}/${reference.Ref}`;
    const attribute = reference["Fn::GetAtt"];
    if (Array.isArray(attribute)) return `${stack}/${attribute[0]}`;
    const imported = reference["Fn::ImportValue"];
    for (const [exporter, { Outputs = {} }] of Object.entries(this.#templates)) {
      const output = Object.values(Outputs).find(({ Export }) => Export && Export.Name === imported);
      if (output) return this.resolve(exporter, output.Value);
    }
    return undefined;
  }

  /** Whether a rule of one of the groups lets the peers through on the port. */
  lets(
    direction: Rule["direction"],
    groups: readonly string[],
    peers: readonly string[],
    port: number,
  ): boolean {
    return this.#rules.some(
      (rule) =>
        rule.direction === direction &&
        groups.includes(rule.group) &&
        rule.peer !== undefined &&
        (peers.includes(rule.peer) || rule.peer === ANYWHERE) &&
        rule.fromPort <= port &&
        port <= rule.toPort,
    );
  }

  /** From the subnet to an AWS API: by NAT, by a gateway in the subnet's route table, or by an interface endpoint. */
  hasWay(subnet: string, service: string, groups: readonly string[]): boolean {
    const tables = this.#routeTablesOf(subnet);
    const isThroughNat = tables.some(
      (table) => this.#leadsOut(table, "NatGatewayId") || this.#leadsOut(table, "InstanceId"),
    );
    if (isThroughNat) return true;
    return this.all("AWS::EC2::VPCEndpoint").some((endpoint) => {
      const { ServiceName, RouteTableIds, SecurityGroupIds, VpcEndpointType, PrivateDnsEnabled } =
        endpoint.properties;
      if (!JSON.stringify(ServiceName).endsWith(`.${service}"]]}`)) return false;
      if (GATEWAY_SERVICES.includes(service) && VpcEndpointType !== "Interface") {
        return endpoint.resolveAll(RouteTableIds).some((table) => tables.includes(table));
      }
      return (
        PrivateDnsEnabled === true &&
        this.lets("ingress", endpoint.resolveAll(SecurityGroupIds), groups, HTTPS_PORT)
      );
    });
  }

  /** AWS services that a role's policies are about, as endpoints are called. */
  servicesOf(role: string | undefined): string[] {
    const actions = this.all("AWS::IAM::Policy")
      .filter((policy) => policy.resolveAll(policy.properties.Roles).includes(role ?? ""))
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .flatMap(({ Action }: { readonly Action: string | readonly string[] }) => Action);
    const services = new Set(actions.map((action) => action.split(":")[0]!));
    services.delete("kafka-cluster");
    // Services use keys for whoever may use them.
    services.delete("kms");
    return [...services].flatMap((service) => (service === "ecr" ? ["ecr.api", "ecr.dkr", "s3"] : [service]));
  }

  #routeTablesOf(subnet: string): string[] {
    return this.all("AWS::EC2::SubnetRouteTableAssociation")
      .filter((association) => association.resolve(association.properties.SubnetId) === subnet)
      .flatMap((association) => association.resolve(association.properties.RouteTableId) ?? []);
  }

  /** Whether a table's default route goes to a gateway, and that of a NAT, gateway or instance, to the internet. */
  #leadsOut(table: string, by: "NatGatewayId" | "InstanceId" | "GatewayId"): boolean {
    return this.all("AWS::EC2::Route").some((route) => {
      const { RouteTableId, DestinationCidrBlock } = route.properties;
      if (route.resolve(RouteTableId) !== table || DestinationCidrBlock !== ANYWHERE) return false;
      const gateway = route.resolve(route.properties[by]);
      if (gateway === undefined) return false;
      if (by === "GatewayId") return true;
      const nat = this.find(gateway);
      if (by === "InstanceId" && !this.#forwards(nat)) return false;
      // An instance that asks for a public address says its subnet with its interface.
      const { SubnetId = nat.properties.NetworkInterfaces?.[0].SubnetId } = nat.properties;
      const tables = this.#routeTablesOf(nat.resolve(SubnetId)!);
      return tables.some((outer) => this.#leadsOut(outer, "GatewayId"));
    });
  }

  /** An instance takes and sends what is not addressed to or from it, lets HTTPS in from the VPC, and has a public address. */
  #forwards({ properties }: Located): boolean {
    const [network] = properties.NetworkInterfaces ?? [];
    const groups = (network?.GroupSet ?? []).map((group: unknown) => JSON.stringify(group));
    const letsIn = this.all("AWS::EC2::SecurityGroup").some(
      (group) =>
        groups.includes(JSON.stringify({ "Fn::GetAtt": [group.name.split("/")[1], "GroupId"] })) &&
        group.properties.SecurityGroupIngress?.some(
          ({ ToPort }: { ToPort: number }) => ToPort === HTTPS_PORT,
        ),
    );
    return properties.SourceDestCheck === false && network?.AssociatePublicIpAddress === true && letsIn;
  }

  #inlineRules(): Rule[] {
    return this.all("AWS::EC2::SecurityGroup").flatMap((group) =>
      (["egress", "ingress"] as const).flatMap((direction) =>
        (group.properties[direction === "egress" ? "SecurityGroupEgress" : "SecurityGroupIngress"] ?? []).map(
          (rule: Record<string, unknown>) => ruleOf(direction, group.name, group, rule),
        ),
      ),
    );
  }

  #ruleResources(): Rule[] {
    return (["egress", "ingress"] as const).flatMap((direction) => {
      const type =
        direction === "egress" ? "AWS::EC2::SecurityGroupEgress" : "AWS::EC2::SecurityGroupIngress";
      return this.all(type).map((rule) =>
        ruleOf(direction, rule.resolve(rule.properties.GroupId)!, rule, rule.properties),
      );
    });
  }
}

function ruleOf(
  direction: Rule["direction"],
  group: string,
  located: Located,
  rule: Readonly<Record<string, unknown>>,
): Rule {
  const peer = direction === "egress" ? rule.DestinationSecurityGroupId : rule.SourceSecurityGroupId;
  const isAll = rule.IpProtocol === "-1";
  return {
    direction,
    group,
    peer: peer === undefined ? (rule.CidrIp as string | undefined) : located.resolve(peer),
    fromPort: isAll ? 0 : (rule.FromPort as number),
    toPort: isAll ? 65_535 : (rule.ToPort as number),
  };
}
