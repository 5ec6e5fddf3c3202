/** What notices go through on this machine: the event buses, the webhook's secret, and who receives it. */
import type { Resource } from "../assembly/load.ts";
import type { LambdaFunction } from "../functions/function.ts";
import type { Plan } from "../plan/plan.ts";
import { busRules, EventBuses } from "./event-bus.ts";
import { NoticesApi } from "./notices-api.ts";
import { makeSecrets } from "./secrets.ts";
import { WebhookReceiver } from "./webhook-receiver.ts";

export class Notices {
  readonly #api: NoticesApi;
  readonly #receiver: WebhookReceiver;

  private constructor(api: NoticesApi, receiver: WebhookReceiver) {
    this.#api = api;
    this.#receiver = receiver;
  }

  static async listen(): Promise<Notices> {
    return new Notices(await NoticesApi.listen(), await WebhookReceiver.listen());
  }

  /** What AWS clients find the two services by. */
  get environment(): Readonly<Record<string, string>> {
    return {
      AWS_ENDPOINT_URL_EVENTBRIDGE: this.#api.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: this.#api.url,
    };
  }

  /** Where the webhook leads to. GET answers what came, newest last. */
  get webhookUrl(): string {
    return this.#receiver.url;
  }

  open(plan: Plan, functions: ReadonlyMap<Resource, LambdaFunction>, warn: (line: string) => void): void {
    const buses = new EventBuses(busRules(plan, functions, warn), plan.assembly.region, warn);
    this.#api.open(buses, makeSecrets(plan));
  }

  /** Resolves once what was put on a bus is delivered, or has failed. */
  async close(): Promise<void> {
    await this.#api.close();
    await this.#receiver.close();
  }
}
