import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type EventSourceMapping, MappingInUseError } from "../mappings/event-source-mapping.ts";

interface Answer {
  readonly status: number;
  readonly body: object;
  /** Lambda's name of an error. */
  readonly error?: string;
}

const MAPPING_PATH = /^\/2015-03-31\/event-source-mappings\/([^/]+)\/?$/;

/**
 * As much of Lambda's API as the platform calls: GetEventSourceMapping, and UpdateEventSourceMapping of `Enabled`
 * (https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html). It listens at once, as its address
 * is part of every function's environment.
 */
export class LambdaApi {
  readonly #server: Server;
  #mappings: ReadonlyMap<string, EventSourceMapping> = new Map();

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      text(request)
        .then((body) => this.#answer(request.method ?? "GET", request.url ?? "/", body))
        .catch((error: Error) => refusal(500, "ServiceException", error.message))
        .then(({ status, body, error }) => {
          const headers = { "content-type": "application/json", ...(error && { "x-amzn-errortype": error }) };
          response.writeHead(status, headers).end(JSON.stringify(body));
        });
    });
  }

  static async listen(): Promise<LambdaApi> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new LambdaApi(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  open(mappings: readonly EventSourceMapping[]): void {
    this.#mappings = new Map(mappings.map((mapping) => [mapping.options.uuid, mapping]));
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #answer(method: string, target: string, body: string): Answer {
    const [, encoded] = MAPPING_PATH.exec(new URL(target, "http://127.0.0.1").pathname) ?? [];
    if (encoded === undefined || (method !== "GET" && method !== "PUT")) {
      return refusal(501, "NotImplementedException", `${method} ${target} is not served on this machine.`);
    }
    const mapping = this.#mappings.get(decodeURIComponent(encoded));
    if (mapping === undefined) {
      return refusal(404, "ResourceNotFoundException", "The resource you requested does not exist.");
    }
    return method === "GET" ? { status: 200, body: described(mapping) } : update(mapping, body);
  }
}

function update(mapping: EventSourceMapping, body: string): Answer {
  const { Enabled, ...others } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  if (typeof Enabled !== "boolean" || Object.keys(others).length > 0) {
    return refusal(400, "InvalidParameterValueException", "Only Enabled can be updated on this machine.");
  }
  try {
    mapping.setEnabled(Enabled);
    return { status: 202, body: described(mapping) };
  } catch (error) {
    if (!(error instanceof MappingInUseError)) throw error;
    return refusal(400, "ResourceInUseException", error.message);
  }
}

const described = ({ options, state, modifiedMs }: EventSourceMapping): object => ({
  UUID: options.uuid,
  BatchSize: options.batchSize,
  EventSourceArn: options.sourceArn,
  FunctionArn: options.functionArn,
  LastModified: modifiedMs / 1_000,
  State: state,
  StateTransitionReason: "User action",
});

const refusal = (status: number, error: string, message: string): Answer => ({
  status,
  error,
  body: { Type: "User", Message: message },
});
