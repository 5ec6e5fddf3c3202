import { zoneIdOfName } from "../zones.ts";
import { type Json, objectOf, textOf } from "./json.ts";
import type { Resource } from "./load.ts";
import { isHandled } from "./types.ts";

/** The account that the SQS and Kinesis emulators answer for. */
export const ACCOUNT_ID = "000000000000";

/** Where the parts of this run listen: all known before anything is started. */
export interface Addresses {
  readonly region: string;
  readonly sqsEndpoint: string;
  readonly bootstrapServers: string;
  /** The URL of an HTTP API. */
  readonly apiUrl: (api: Resource) => string;
}

/** A property of the resource, resolved; undefined where the template has none. */
type Property = (resource: Resource, name: string) => Json | undefined;

/** The property that names a resource; where it is absent the name is made of stack and logical id. */
const NAME_PROPERTIES: Readonly<Record<string, string>> = {
  "AWS::DynamoDB::GlobalTable": "TableName",
  "AWS::DynamoDB::Table": "TableName",
  "AWS::ECS::Service": "ServiceName",
  "AWS::Events::EventBus": "Name",
  "AWS::Kinesis::Stream": "Name",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::MSK::Cluster": "ClusterName",
  "AWS::S3::Bucket": "BucketName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::ApiGatewayV2::Stage": "StageName",
};

/** Services whose name in an ARN is not that of the resource type. */
const ARN_SERVICES: Readonly<Record<string, string>> = { msk: "kafka", apigatewayv2: "apigateway" };

/** Attributes of a cluster that an AwsCustomResource reads by Kafka's GetBootstrapBrokers. */
const BOOTSTRAP_ATTRIBUTE = /^BootstrapBrokerString/;

/** Gives every resource the name, ARN and attributes it has in this run. */
export class Identities {
  readonly #addresses: Addresses;
  readonly #property: Property;

  constructor(addresses: Addresses, property: Property) {
    this.#addresses = addresses;
    this.#property = property;
  }

  /** The name by which clients address the resource. */
  name(resource: Resource): string {
    const property = NAME_PROPERTIES[resource.type];
    const given = property === undefined ? undefined : textOf(this.#property(resource, property));
    if (given !== undefined) return given;
    const made = `${resource.stack.name}-${resource.logicalId}`;
    if (resource.type === "AWS::S3::Bucket") {
      // Bucket names are lower case and at most 63 characters; the end of a logical id is what makes it unique.
      return made.toLowerCase().slice(-63).replace(/^-+/, "");
    }
    if (resource.type === "AWS::SQS::Queue" && this.#property(resource, "FifoQueue") === true) {
      return `${made}.fifo`;
    }
    return made;
  }

  arn(resource: Resource): string {
    const { region } = this.#addresses;
    const name = this.name(resource);
    switch (resource.type) {
      case "AWS::DynamoDB::GlobalTable":
      case "AWS::DynamoDB::Table":
        return `arn:aws:dynamodb:${region}:${ACCOUNT_ID}:table/${name}`;
      case "AWS::Kinesis::Stream":
        return `arn:aws:kinesis:${region}:${ACCOUNT_ID}:stream/${name}`;
      case "AWS::Lambda::EventSourceMapping":
        return `arn:aws:lambda:${region}:${ACCOUNT_ID}:event-source-mapping:${name}`;
      case "AWS::Lambda::Function":
        return `arn:aws:lambda:${region}:${ACCOUNT_ID}:function:${name}`;
      case "AWS::MSK::Cluster":
        return `arn:aws:kafka:${region}:${ACCOUNT_ID}:cluster/${name}/00000000-0000-0000-0000-000000000000-1`;
      case "AWS::S3::Bucket":
        return `arn:aws:s3:::${name}`;
      case "AWS::SQS::Queue":
        return `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`;
      default: {
        const [, service = "", kind = ""] = resource.type.toLowerCase().split("::");
        return `arn:aws:${ARN_SERVICES[service] ?? service}:${region}:${ACCOUNT_ID}:${kind}/${name}`;
      }
    }
  }

  /** What Ref (no attribute) and Fn::GetAtt give; undefined where this platform has no such value. */
  identify(resource: Resource, attribute?: string): Json | undefined {
    if (attribute === undefined) return this.#ref(resource);
    if (attribute === "Arn") return this.arn(resource);
    const name = this.name(resource);
    switch (`${resource.type} ${attribute}`) {
      case "AWS::SQS::Queue QueueName":
        return name;
      case "AWS::SQS::Queue QueueUrl":
        return this.#ref(resource);
      case "AWS::S3::Bucket DomainName":
      case "AWS::S3::Bucket RegionalDomainName":
        return `${name}.s3.amazonaws.com`;
      case "AWS::ECS::Service Name":
        return name;
      case "AWS::ApiGatewayV2::Api ApiId":
        return this.#ref(resource);
      case "AWS::ApiGatewayV2::Api ApiEndpoint":
        return this.#addresses.apiUrl(resource);
      case "AWS::Lambda::EventSourceMapping EventSourceMappingArn":
        return this.arn(resource);
      case "AWS::Lambda::Version Version":
        return "$LATEST";
      case "AWS::MSK::Configuration LatestRevision.Revision":
        return 1;
      case "AWS::MSK::Topic TopicArn":
        return this.arn(resource);
      case "AWS::EC2::Subnet AvailabilityZoneId":
        return zoneIdOfName(textOf(this.#property(resource, "AvailabilityZone")) ?? "");
    }
    if (resource.type.startsWith("Custom::")) return this.#custom(resource, attribute);
    // Nobody here looks behind an attribute of a network or a role; one of a resource that runs must be right.
    return isHandled(resource.type) ? undefined : `${name}.${attribute}`;
  }

  #ref(resource: Resource): Json {
    switch (resource.type) {
      case "AWS::SQS::Queue":
        return `${this.#addresses.sqsEndpoint}/${ACCOUNT_ID}/${this.name(resource)}`;
      case "AWS::DynamoDB::GlobalTable":
      case "AWS::DynamoDB::Table":
      case "AWS::Kinesis::Stream":
      case "AWS::Lambda::Function":
      case "AWS::S3::Bucket":
      case "AWS::ApiGatewayV2::Stage":
        return this.name(resource);
      case "AWS::ApiGatewayV2::Api":
      case "AWS::ApiGatewayV2::Integration":
      case "AWS::ApiGatewayV2::Route":
        return resource.logicalId.toLowerCase();
      case "AWS::Lambda::Alias":
      case "AWS::Lambda::Version":
        // One version of the code runs here, so an alias or version is its function.
        return this.#property(resource, "FunctionName") ?? this.arn(resource);
      case "AWS::MSK::Cluster":
      case "AWS::MSK::Configuration":
      case "AWS::MSK::Topic":
      case "AWS::SecretsManager::Secret":
      case "AWS::ECS::Service":
      case "AWS::ECS::TaskDefinition":
        return this.arn(resource);
      default:
        return this.name(resource);
    }
  }

  /** An AwsCustomResource is a call to AWS at deploy time; the one that asks for the brokers has an answer here. */
  #custom(resource: Resource, attribute: string): string | undefined {
    const call = this.#property(resource, "Create") ?? this.#property(resource, "Update");
    const { action } = objectOf(typeof call === "string" ? (JSON.parse(call) as Json) : call);
    if (textOf(action)?.toLowerCase() !== "getbootstrapbrokers") return undefined;
    return BOOTSTRAP_ATTRIBUTE.test(attribute) ? this.#addresses.bootstrapServers : undefined;
  }
}
