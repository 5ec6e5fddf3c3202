import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpJwtAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { FORWARD_HIGH_MAPPING, FORWARD_MAPPING } from "../../contracts/flow-control.ts";
import { kafkaAwaySignal } from "../../contracts/signals.ts";
import { topics } from "../../contracts/topics.ts";
import { connectWindowMs, ingestNeed } from "../config/capacity.ts";
import type { EnvironmentConfig, IngestAuth } from "../config/environment.ts";
import { FlowControl } from "../control/flow-control.ts";
import { grantSignals } from "../control/signals-access.ts";
import type { DeadLettersStack } from "../dead-letters/dead-letters-stack.ts";
import { bundleWithEventValidators } from "../functions/bundle.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import { SignedApi } from "../http/signed-api.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { KinesisDoor } from "./kinesis-door.ts";
import { sheddingOf } from "./shedding.ts";
import { Spillway } from "./spillway.ts";
import { heeded } from "./stream-drain.ts";

export interface IngestionStackProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly signals: Table;
  readonly control: Table;
  readonly deadLetters: DeadLettersStack;
  /** Modules that export `handler`. */
  readonly ingestEntry: string;
  readonly forwardEntry: string;
  readonly doorEntry: string;
  readonly flowControlEntry: string;
}

/** The door: `POST /events`, validated and stored in Kafka or in the spillway before it is answered. */
export class IngestionStack extends SpillwayStack {
  constructor(
    scope: Construct,
    config: EnvironmentConfig,
    { ingestEntry, forwardEntry, doorEntry, flowControlEntry, ...surroundings }: IngestionStackProps,
  ) {
    super(scope, "Ingestion", config);
    const { network, transport, signals, control } = surroundings;
    const spillway = new Spillway(this, "Spillway", {
      ...surroundings,
      mapping: FORWARD_MAPPING,
      functionId: "Forward",
      description: "Drains the spillway stream to Kafka",
      shards: config.spillway.shards,
      heeds: heeded(Object.keys(topics)),
      entry: forwardEntry,
    });
    const highSpillway = new Spillway(this, "HighSpillway", {
      ...surroundings,
      mapping: FORWARD_HIGH_MAPPING,
      functionId: "HighForward",
      description: "Drains the spillway stream of high priority to Kafka",
      shards: config.spillway.highShards,
      heeds: [],
      entry: forwardEntry,
    });
    const doors = (config.doors ?? []).map(
      (door) =>
        new KinesisDoor(this, `KinesisDoor-${door.name}`, { ...surroundings, door, entry: doorEntry }),
    );
    new FlowControl(this, "FlowControl", {
      signals,
      control,
      mappings: [spillway, highSpillway, ...doors].map(({ drain }) => drain),
      entry: flowControlEntry,
    });
    const ingest = new PlatformFunction(this, "Ingest", {
      description: "Validates CloudEvents and writes them to Kafka",
      code: functionCode(ingestEntry, bundleWithEventValidators),
      traced: true,
      size: config.ingest,
      reservedConcurrency: config.ingest.reservedConcurrency,
      network: { vpc: network.vpc, securityGroup: network.ingest },
      environment: {
        [environmentVariables.environment]: config.name,
        [environmentVariables.bootstrapServers]: transport.bootstrapServers,
        [environmentVariables.spillwayStream]: spillway.stream.streamName,
        [environmentVariables.highSpillwayStream]: highSpillway.stream.streamName,
        [environmentVariables.signalsTable]: signals.tableName,
        [environmentVariables.connectWindowMs]: String(connectWindowMs(config)),
        ...producersOf(config.ingest.auth),
        ...sheddingOf(config),
        ...producerLimitOf(config.ingest),
      },
    });
    transport.access.connect(ingest.role);
    transport.access.write(ingest.role, Object.keys(topics));
    for (const { stream } of [spillway, highSpillway]) stream.grant(ingest.role, "kinesis:PutRecords");
    signals.grant(ingest.role, "dynamodb:Scan");
    grantSignals(signals, ingest.role, [kafkaAwaySignal.stage]);
    new SignedApi(this, "Events", {
      description: `Spillway (${config.name}): events in`,
      routes: [
        { method: HttpMethod.POST, path: "/events" },
        { method: HttpMethod.GET, path: "/backpressure" },
      ],
      handler: ingest,
      ...authorizerOf(config.ingest.auth),
      limits: config.ingest,
    });
  }
}

function authorizerOf(auth: IngestAuth): { readonly authorizer?: HttpJwtAuthorizer } {
  if (auth.kind === "iam") return {};
  const { issuer, audience } = auth;
  return { authorizer: new HttpJwtAuthorizer("Jwt", issuer, { jwtAudience: [...audience] }) };
}

const producerLimitOf = ({ producerEventsPerSecond, expected }: EnvironmentConfig["ingest"]) => ({
  [environmentVariables.producerEventsPerSecond]: String(producerEventsPerSecond ?? expected.eventsPerSecond),
  [environmentVariables.expectedEnvironments]: String(ingestNeed(expected).concurrency),
});

function producersOf(auth: IngestAuth): Readonly<Record<string, string>> {
  if (auth.kind === "iam") {
    return auth.producers ? { [environmentVariables.producers]: JSON.stringify(auth.producers) } : {};
  }
  const { subjectLimits } = auth;
  return subjectLimits ? { [environmentVariables.subjectLimits]: JSON.stringify(subjectLimits) } : {};
}
