import type { Logger } from "@aws-lambda-powertools/logger";
import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { NOTICE_SOURCE, type Notice } from "../../contracts/notices.ts";
import type { EventBus } from "./notifier.ts";

export class EventBridgeBus implements EventBus {
  readonly #client: EventBridgeClient;
  readonly #busName: string;
  readonly #logger: Pick<Logger, "warn">;

  constructor(client: EventBridgeClient, busName: string, logger: Pick<Logger, "warn">) {
    this.#client = client;
    this.#busName = busName;
    this.#logger = logger;
  }

  /** A request may succeed in part: each entry then has an event's id, or an error's code. */
  async put(notices: readonly Notice[]): Promise<readonly boolean[]> {
    try {
      const { Entries = [] } = await this.#client.send(
        new PutEventsCommand({
          Entries: notices.map((notice) => ({
            EventBusName: this.#busName,
            Source: NOTICE_SOURCE,
            DetailType: notice.type,
            Detail: JSON.stringify(notice),
          })),
        }),
      );
      const codes = Entries.flatMap(({ ErrorCode }) => ErrorCode ?? []);
      if (codes.length > 0) this.#logger.warn("The event bus did not take every notice.", { codes });
      return notices.map((_, index) => Entries[index]?.EventId !== undefined);
    } catch (error) {
      this.#logger.warn("The event bus did not answer.", error as Error);
      return notices.map(() => false);
    }
  }
}
