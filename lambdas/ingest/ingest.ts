/** What a request to POST /events does, from its body to its answer. */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import { makeProblem, type Problem, problemResponse, RequestRefusedError } from "../../runtime/problem.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import type { HttpRequest } from "./body.ts";
import { readEvents } from "./content-mode.ts";
import { type Judgement, judgeEvent, type OutgoingEvent } from "./judge.ts";
import { ingestProblems } from "./problems.ts";

/** When a client that was answered 503 may come back: about what a new leader's election takes. */
const RETRY_AFTER_S = 5;

/** API Gateway gives up after 30 s, whatever the function's own timeout is. */
const GATEWAY_TIMEOUT_MS = 30_000;
/** What is kept of the time limit for writing the answer itself. */
const ANSWER_MARGIN_MS = 1_000;

/** What happened, for metrics and the log. */
export interface IngestReport {
  readonly accepted: number;
  /** Events; a request that is refused as a whole counts as one, as its events cannot be counted. */
  readonly refused: number;
  readonly bytesAccepted: number;
  readonly produceMs: number;
  /** Why Kafka did not take the events, where it did not. */
  readonly unavailable?: KafkaUnavailableError;
}

export interface IngestOutcome {
  readonly response: APIGatewayProxyStructuredResultV2;
  readonly report: IngestReport;
}

export interface IngestPorts {
  readonly publisher: Pick<RecordPublisher, "publish">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Takes a request in. The answer is 202 as soon as one event was accepted, with a result for each; where none was,
 * the first problem's status with all problems. It is 503 where Kafka did not acknowledge in time: then none of the
 * request's events counts as accepted, and sending the request again is harmless.
 */
export async function ingest(
  request: HttpRequest,
  remainingMs: number,
  ports: IngestPorts,
): Promise<IngestOutcome> {
  try {
    return await ingestEvents(request, remainingMs, ports);
  } catch (error) {
    if (!(error instanceof RequestRefusedError)) throw error;
    const response = problemResponse(error.problem, { headers: error.headers });
    return { response, report: { accepted: 0, refused: 1, bytesAccepted: 0, produceMs: 0 } };
  }
}

async function ingestEvents(
  request: HttpRequest,
  remainingMs: number,
  ports: IngestPorts,
): Promise<IngestOutcome> {
  const arrivalMs = ports.now();
  const judgements = readEvents(request).map((event, index) => judgeEvent(event, index, arrivalMs));
  const events = judgements.flatMap(({ accepted }) => accepted ?? []);
  const timeoutMs = Math.max(0, Math.min(remainingMs, GATEWAY_TIMEOUT_MS) - ANSWER_MARGIN_MS);
  const unavailable = await publish(ports.publisher, events, timeoutMs);
  const produceMs = ports.now() - arrivalMs;
  if (unavailable !== undefined) {
    const report = { accepted: 0, refused: judgements.length - events.length, bytesAccepted: 0, produceMs };
    return { response: unavailableResponse(events.length), report: { ...report, unavailable } };
  }
  return { response: answer(judgements), report: reportOf(judgements, events, produceMs) };
}

async function publish(
  publisher: IngestPorts["publisher"],
  events: readonly OutgoingEvent[],
  timeoutMs: number,
): Promise<KafkaUnavailableError | undefined> {
  try {
    await publisher.publish(events, timeoutMs);
    return undefined;
  } catch (error) {
    if (error instanceof KafkaUnavailableError) return error;
    throw error;
  }
}

function answer(judgements: readonly Judgement[]): APIGatewayProxyStructuredResultV2 {
  const problems = judgements.flatMap(({ refused }) => refused ?? []);
  const accepted = judgements.length - problems.length;
  if (accepted === 0 && problems.length > 0) return problemResponse(problems[0]!, { problems });
  return {
    statusCode: 202,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ accepted, results: judgements.map(result) }),
  };
}

function result({ index, id, refused }: Judgement): EventResult {
  return refused === undefined
    ? { index, id, status: "accepted" }
    : { index, id, status: "refused", problem: refused };
}

/** One event's result in a 202 answer. */
export interface EventResult {
  readonly index: number;
  /** Absent where the event had none, or one of more than 256 characters. */
  readonly id: string | undefined;
  readonly status: "accepted" | "refused";
  readonly problem?: Problem;
}

function unavailableResponse(count: number): APIGatewayProxyStructuredResultV2 {
  const what = count === 1 ? "1 event" : `${count} events`;
  const detail = `${what} could not be stored in time. Send the whole request again; copies are harmless.`;
  return problemResponse(makeProblem(ingestProblems.kafkaUnavailable, detail), {
    headers: { "retry-after": String(RETRY_AFTER_S) },
  });
}

function reportOf(
  judgements: readonly Judgement[],
  events: readonly OutgoingEvent[],
  produceMs: number,
): IngestReport {
  const bytesAccepted = events.reduce((bytes, { value }) => bytes + value.length, 0);
  return { accepted: events.length, refused: judgements.length - events.length, bytesAccepted, produceMs };
}
