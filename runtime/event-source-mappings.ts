/** Lambda's event source mappings, as far as the flow control and its command need them. */
import {
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** A Lambda client with bounded waiting. Region, credentials and endpoint come from the environment. */
export function createLambdaClient(): LambdaClient {
  return new LambdaClient({
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK only warns, and goes on waiting.
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
    },
  });
}

export interface MappingStatus {
  /** `Enabled`, `Disabled`, or the name of a change that is under way, such as `Disabling`. */
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** Lambda's names for an update that meets another one: 400 and 409. */
const IN_USE: readonly string[] = ["ResourceInUseException", "ResourceConflictException"];

export class EventSourceMappings {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async status(uuid: string): Promise<MappingStatus> {
    const { State = "unknown", LastModified } = await this.#client.send(
      new GetEventSourceMappingCommand({ UUID: uuid }),
    );
    return { state: State, modifiedMs: LastModified?.getTime() ?? Date.now() };
  }

  /** False where another change is under way, and this one was refused. It takes up to 90 s to take effect. */
  async setEnabled(uuid: string, enabled: boolean): Promise<boolean> {
    try {
      await this.#client.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: enabled }));
      return true;
    } catch (error) {
      if (IN_USE.includes((error as Error).name)) return false;
      throw error;
    }
  }
}
