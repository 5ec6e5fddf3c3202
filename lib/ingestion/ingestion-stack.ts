import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import type { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { topics } from "../../contracts/topics.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { bundleWithEventValidators } from "../functions/bundle.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import { SignedApi } from "../http/signed-api.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";

export interface IngestionStackProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** The door: `POST /events`, validated and written to Kafka before it is answered. */
export class IngestionStack extends SpillwayStack {
  constructor(
    scope: Construct,
    config: EnvironmentConfig,
    { network, transport, entry }: IngestionStackProps,
  ) {
    super(scope, "Ingestion", config);
    const ingest = new PlatformFunction(this, "Ingest", {
      description: "Validates CloudEvents and writes them to Kafka",
      code: functionCode(entry, bundleWithEventValidators),
      size: config.ingest,
      reservedConcurrency: config.ingest.reservedConcurrency,
      network: { vpc: network.vpc, securityGroup: network.ingest },
      environment: {
        [environmentVariables.environment]: config.name,
        [environmentVariables.bootstrapServers]: transport.bootstrapServers,
      },
    });
    transport.access.connect(ingest.role);
    transport.access.write(ingest.role, Object.keys(topics));
    new SignedApi(this, "Events", {
      description: `Spillway (${config.name}): events in`,
      method: HttpMethod.POST,
      path: "/events",
      handler: ingest,
      limits: config.ingest,
    });
  }
}
