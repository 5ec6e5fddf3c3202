import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { EventBuses, PutEntry } from "./event-bus.ts";

interface Answer {
  readonly status: number;
  readonly body: object;
}

/**
 * As much of EventBridge's and Secrets Manager's APIs as the platform calls: PutEvents, and GetSecretValue of a secret
 * that has only its current version. It listens at once, as its address is part of every function's environment.
 */
export class NoticesApi {
  readonly #server: Server;
  #buses: EventBuses | undefined;
  #secrets: ReadonlyMap<string, string> = new Map();

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      text(request)
        .then((body) => this.#answer(String(request.headers["x-amz-target"]), body))
        .catch((error: Error) => refusal(500, "InternalException", error.message))
        .then(({ status, body }) => {
          response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
          response.end(JSON.stringify(body));
        });
    });
  }

  static async listen(): Promise<NoticesApi> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new NoticesApi(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param secrets by ARN and by name */
  open(buses: EventBuses, secrets: ReadonlyMap<string, string>): void {
    this.#buses = buses;
    this.#secrets = secrets;
  }

  /** Takes nothing more, and resolves once what was taken is delivered or has failed. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
    await this.#buses?.stop();
  }

  #answer(target: string, body: string): Answer {
    switch (target) {
      case "AWSEvents.PutEvents":
        return this.#putEvents(JSON.parse(body) as { readonly Entries: readonly PutEntry[] });
      case "secretsmanager.GetSecretValue":
        return this.#secretValue(JSON.parse(body) as { readonly SecretId: string; VersionStage?: string });
      default:
        return refusal(501, "NotImplementedException", `${target} is not served on this machine.`);
    }
  }

  #putEvents({ Entries }: { readonly Entries: readonly PutEntry[] }): Answer {
    if (this.#buses === undefined)
      return refusal(503, "InternalException", "The platform is still starting.");
    const answers = Entries.map((entry) => ({ EventId: this.#buses!.put(entry) }));
    return { status: 200, body: { FailedEntryCount: 0, Entries: answers } };
  }

  #secretValue({
    SecretId,
    VersionStage = "AWSCURRENT",
  }: {
    SecretId: string;
    VersionStage?: string;
  }): Answer {
    const SecretString = this.#secrets.get(SecretId);
    if (SecretString === undefined || VersionStage !== "AWSCURRENT") {
      return refusal(
        400,
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value.",
      );
    }
    return { status: 200, body: { ARN: SecretId, SecretString, VersionStages: ["AWSCURRENT"] } };
  }
}

const refusal = (status: number, type: string, message: string): Answer => ({
  status,
  body: { __type: type, message },
});
