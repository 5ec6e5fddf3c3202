import type { HttpRequest } from "../../../lambdas/ingest/body.ts";
import { ingest } from "../../../lambdas/ingest/ingest.ts";
import type { Problem } from "../../../runtime/problem.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { NOW_MS } from "./events.ts";
import { FakeKafka } from "./fake-kafka.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: {
    readonly accepted?: number;
    readonly results?: readonly { index: number; id?: string; status: string; problem?: Problem }[];
    readonly problems?: readonly Problem[];
  } & Partial<Problem>;
}

export const partitionCounts: ReadonlyMap<string, number> = new Map([
  ["flights", 4],
  ["user-activity", 4],
  ["clickstream", 4],
]);

/** Sends a request through the door's logic, with Kafka faked. */
export async function send(
  request: HttpRequest,
  kafka = new FakeKafka(),
  remainingMs = 5_000,
): Promise<Answer> {
  const publisher = new RecordPublisher(kafka, partitionCounts);
  const { response } = await ingest(request, remainingMs, { publisher, now: () => NOW_MS });
  return {
    status: response.statusCode!,
    headers: response.headers ?? {},
    body: JSON.parse(response.body!),
  };
}
