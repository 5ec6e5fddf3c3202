/** What a request to POST /events does, from its body to its answer. */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import {
  BACKPRESSURE_HEADER,
  type LoadSignal,
  loadOfTopics,
  type SheddingThresholds,
} from "../../contracts/signals.ts";
import { TRACEPARENT } from "../../contracts/traceparent.ts";
import { makeProblem, type Problem, problemResponse, RequestRefusedError } from "../../runtime/problem.ts";
import type { Tracing } from "../../runtime/tracing.ts";
import type { HttpRequest } from "./body.ts";
import { type ReceivedEvent, readEvents } from "./content-mode.ts";
import { type Delivery, type DeliveryPorts, deliver } from "./delivery.ts";
import { type Judgement, judgeEvent } from "./judge.ts";
import { ingestProblems } from "./problems.ts";
import type { Producer } from "./producer.ts";
import type { ProducerLimit, ProducerLimits } from "./producer-limits.ts";
import { beginTrace, endTrace } from "./request-trace.ts";
import { OVERLOADED_RETRY_AFTER_S, type Shed, shed } from "./shedding.ts";

/** When a client that was answered 503 may come back: about what a new leader's election takes. */
const UNAVAILABLE_RETRY_AFTER_S = 5;

/**
 * How long storing may take, in Kafka or in the spillway. API Gateway waits for 30 s; but where both are away every
 * waiting request holds an execution environment, and a client that is told soon comes back no later.
 */
const STORE_TIMEOUT_MS = 10_000;
/** What is kept of the time limit for writing the answer itself. */
const ANSWER_MARGIN_MS = 1_000;

/** What happened, for metrics and the log. */
export interface IngestReport {
  readonly accepted: number;
  /** Of the accepted ones, those that lie in the spillway. */
  readonly spilled: number;
  /** Events; a request that is refused as a whole counts as one, as its events cannot be counted. */
  readonly refused: number;
  /** Of the refused ones, those that only came at the wrong time. */
  readonly overloaded: number;
  /** Whether the request was not looked at, as its producer had sent more than it may. */
  readonly limited: boolean;
  readonly bytesAccepted: number;
  readonly produceMs: number;
  readonly delivery?: Delivery;
}

export interface IngestOutcome {
  readonly response: APIGatewayProxyStructuredResultV2;
  readonly report: IngestReport;
}

export interface IngestPorts extends DeliveryPorts {
  /** @default no producer is limited */
  readonly limits?: ProducerLimits | undefined;
  /** @default nothing is recorded */
  readonly tracing?: Tracing | undefined;
  readonly shedding: SheddingThresholds;
}

/**
 * Takes a request in, under the load that `signals` tell of. The answer is 202 as soon as one event was accepted, with
 * a result for each; where none was, the first problem's status with all problems. It is 503 where neither Kafka nor
 * the spillway acknowledged in time: then none of the request's events counts as accepted, and sending the request
 * again is harmless. It is 429 before the body is read where the producer has sent more than it may. Every answer tells
 * the backpressure.
 */
export async function ingest(
  request: HttpRequest,
  producer: Producer,
  remainingMs: number,
  signals: readonly LoadSignal[],
  ports: IngestPorts,
): Promise<IngestOutcome> {
  const nowMs = ports.now();
  // What reads from Kafka cannot get on while it is away, and says so. That is no load that producers could ease: what they
  // send goes to the spillway, whose size is what it is for.
  const isAway = ports.breaker.state(nowMs) !== "closed";
  const loads = loadOfTopics(isAway ? [] : signals, nowMs);
  const { span, sender } = beginTrace(request, producer, ports.tracing);
  try {
    const outcome = await ingestOrRefuse(request, sender, remainingMs, loads, ports);
    if (span) endTrace(span, outcome);
    return outcome;
  } catch (error) {
    span?.fail(error);
    throw error;
  }
}

async function ingestOrRefuse(
  request: HttpRequest,
  sender: Producer,
  remainingMs: number,
  loads: ReadonlyMap<string, number>,
  ports: IngestPorts,
): Promise<IngestOutcome> {
  try {
    return await ingestEvents(request, sender, remainingMs, loads, ports);
  } catch (error) {
    if (!(error instanceof RequestRefusedError)) throw error;
    const headers = { ...error.headers, ...backpressure(Math.max(0, ...loads.values())) };
    const response = problemResponse(error.problem, { headers });
    const limited = error.problem.status === ingestProblems.rateLimited.status;
    const nothing = { accepted: 0, spilled: 0, overloaded: 0, bytesAccepted: 0, produceMs: 0 };
    return { response, report: { ...nothing, refused: 1, limited } };
  }
}

async function ingestEvents(
  request: HttpRequest,
  sender: Producer,
  remainingMs: number,
  loads: ReadonlyMap<string, number>,
  ports: IngestPorts,
): Promise<IngestOutcome> {
  const arrivalMs = ports.now();
  const received = readWithinLimit(request, sender, arrivalMs, ports.limits);
  const judged = received.map((event, index) => judgeEvent(event, index, arrivalMs, sender));
  const admitted = shed(judged, loads, ports.shedding);
  const timeoutMs = Math.max(0, Math.min(remainingMs - ANSWER_MARGIN_MS, STORE_TIMEOUT_MS));
  const origin = { producer: sender.name, traceparent: sender.headers[TRACEPARENT] };
  const delivery = await deliver(admitted, origin, timeoutMs, ports);
  return {
    response: answer(admitted, delivery),
    report: reportOf(admitted, delivery, ports.now() - arrivalMs),
  };
}

/** Refused events count, too, as they cost the same; a request that cannot be read counts as one event. */
function readWithinLimit(
  request: HttpRequest,
  producer: Producer,
  arrivalMs: number,
  limits: ProducerLimits | undefined,
): readonly ReceivedEvent[] {
  if (limits === undefined) return readEvents(request);
  const waitMs = limits.waitMs(producer, arrivalMs);
  if (waitMs > 0) throw rateLimited(limits.limitOf(producer), waitMs);
  let events = 1;
  try {
    const received = readEvents(request);
    events = received.length;
    return received;
  } finally {
    limits.take(producer, events, arrivalMs);
  }
}

function rateLimited({ eventsPerSecond, share }: ProducerLimit, waitMs: number): RequestRefusedError {
  const seconds = Math.ceil(waitMs / 1_000);
  const detail = `The sender may send about ${eventsPerSecond} events/s (ingest.producerEventsPerSecond, or eventsPerSecond of its rule or its subject), of which this execution environment counts ${share.toFixed(1)}, and has sent more. Send the same again after ${seconds} s, and less at a time.`;
  return new RequestRefusedError(makeProblem(ingestProblems.rateLimited, detail), {
    "retry-after": String(seconds),
  });
}

function answer(admitted: Shed, delivery: Delivery): APIGatewayProxyStructuredResultV2 {
  const { judgements, overloaded } = admitted;
  const headers = {
    ...backpressure(admitted.backpressure),
    ...(overloaded > 0 && { "retry-after": String(OVERLOADED_RETRY_AFTER_S) }),
  };
  const problems = judgements.flatMap(({ refused }) => refused ?? []);
  const accepted = judgements.length - problems.length;
  if (delivery.unavailable) return unavailableResponse(accepted, headers);
  // What came at the wrong time is worth sending again, whatever else was wrong with the request.
  const first = problems.find(({ status }) => status === ingestProblems.overloaded.status) ?? problems[0];
  if (accepted === 0 && first) return problemResponse(first, { problems, headers });
  return {
    statusCode: 202,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ accepted, results: judgements.map(result) }),
  };
}

const backpressure = (load: number): Readonly<Record<string, string>> => ({
  [BACKPRESSURE_HEADER]: load.toFixed(2),
});

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

function unavailableResponse(
  count: number,
  headers: Readonly<Record<string, string>>,
): APIGatewayProxyStructuredResultV2 {
  const what = count === 1 ? "1 event" : `${count} events`;
  const detail = `${what} could not be stored in time. Send the whole request again; copies are harmless.`;
  return problemResponse(makeProblem(ingestProblems.unavailable, detail), {
    headers: { ...headers, "retry-after": String(UNAVAILABLE_RETRY_AFTER_S) },
  });
}

function reportOf(
  { judgements, forKafka, forSpillway, overloaded }: Shed,
  delivery: Delivery,
  produceMs: number,
): IngestReport {
  const events = [...forKafka, ...forSpillway];
  const refused = judgements.length - events.length;
  const told = { refused, overloaded, limited: false, produceMs, delivery };
  if (delivery.unavailable) return { accepted: 0, spilled: 0, bytesAccepted: 0, ...told };
  const bytesAccepted = events.reduce((bytes, { value }) => bytes + value.length, 0);
  return { accepted: events.length, spilled: delivery.spilled, bytesAccepted, ...told };
}
