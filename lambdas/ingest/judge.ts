/** Judges one event: what goes to Kafka, or the problem it is refused with. */
import { validators } from "#event-validators";
import {
  catalogue,
  type EventDefinition,
  topicOfPriority,
  topicsOfType,
} from "../../contracts/events/catalogue.ts";
import { maxEventBytes, maxKeyBytes } from "../../contracts/limits.ts";
import { parseRfc3339 } from "../../contracts/rfc3339.ts";
import { topics } from "../../contracts/topics.ts";
import { makeProblem, type Problem } from "../../runtime/problem.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import type { ReceivedEvent } from "./content-mode.ts";
import { type Envelope, envelopeFault, type Fault } from "./envelope.ts";
import { ingestProblems } from "./problems.ts";
import type { Producer } from "./producer.ts";
import type { ValidationError } from "./validators.ts";

/**
 * An id is echoed, so that a client finds its event. A longer one is left out, as the index says it too: ids of all
 * events, twice, must fit into the 6 MB that a function may answer with.
 */
const MAX_ECHOED_ID_LENGTH = 256;

/** An accepted event on its way to Kafka. */
export interface OutgoingEvent extends OutgoingRecord {
  readonly key: Buffer;
  /** The event as structured JSON. */
  readonly value: Buffer;
}

export interface Judgement {
  readonly index: number;
  readonly id: string | undefined;
  /** Exactly one of the two is there. */
  readonly accepted?: OutgoingEvent;
  readonly refused?: Problem;
}

const definitions: ReadonlyMap<string, EventDefinition> = new Map(
  catalogue.map((definition) => [definition.type, definition]),
);

/** `arrivalMs`: what the bound on the event's time counts from. */
export function judgeEvent(
  received: ReceivedEvent,
  index: number,
  arrivalMs: number,
  producer: Producer,
): Judgement {
  const id = echoedId(received.event);
  const fault = undecodableFault(received) ?? envelopeFault(received.event);
  const outcome = fault ?? judgeContent(received.event as Envelope, received.bytes, arrivalMs, producer);
  if (!("problem" in outcome)) return { index, id, accepted: outcome };
  const place = { index, ...(id === undefined ? {} : { id }), field: outcome.field };
  return { index, id, refused: makeProblem(ingestProblems[outcome.problem], outcome.detail, place) };
}

function judgeContent(
  event: Envelope,
  bytes: Buffer | undefined,
  arrivalMs: number,
  producer: Producer,
): OutgoingEvent | Fault {
  const definition = definitions.get(event.type);
  if (definition === undefined) {
    return { problem: "unknownType", field: "/type", detail: "The event catalogue holds no such type." };
  }
  if (!producer.maySend(event.type)) {
    const detail =
      "The event's sender may not send this type. Its types are in the environment's configuration, or in the scopes of its token.";
    return { problem: "forbiddenType", field: "/type", detail };
  }
  const fault = timeFault(event, definition, arrivalMs) ?? dataFault(event) ?? keyFault(event, definition);
  if (fault !== undefined) return fault;
  const topic = topicFor(event, definition);
  if (topic === undefined) return priorityFault(definition);
  const value = bytes ?? serialize(event);
  if (value === undefined) {
    return { problem: "invalidData", field: "/data", detail: "data is nested too deeply." };
  }
  if (value.length > maxEventBytes) {
    const detail = `The event takes ${value.length} bytes as JSON; at most ${maxEventBytes} are taken.`;
    return { problem: "eventTooLarge", field: "", detail };
  }
  return {
    topic,
    key: Buffer.from(keyOf(event) as string),
    value,
    headers: producer.headers,
  };
}

/** Late is for pipelines to judge; only an event from the future would do harm, by moving their watermarks. */
function timeFault(event: Envelope, { futureBoundMs }: EventDefinition, nowMs: number): Fault | undefined {
  const timeMs = parseRfc3339(event.time);
  if (timeMs === undefined) {
    const detail = "time must be an RFC 3339 date-time, for example 2001-01-31T23:59:59Z.";
    return { problem: "invalidEnvelope", field: "/time", detail };
  }
  if (timeMs <= nowMs + futureBoundMs) return undefined;
  const detail = `time may lie at most ${futureBoundMs} ms ahead of the event's arrival. Check the sender's clock.`;
  return { problem: "timeAhead", field: "/time", detail };
}

function dataFault(event: Envelope): Fault | undefined {
  const validate = validators.get(event.type)!;
  if (validate(event.data)) return undefined;
  const error = validate.errors![0]!;
  return { problem: "invalidData", field: `/data${fieldOf(error)}`, detail: `data ${describe(error)}.` };
}

/** Ajv points at the object that lacks a property; the property is what the sender has to look at. */
function fieldOf({ instancePath, keyword, params }: ValidationError): string {
  return keyword === "required" ? `${instancePath}/${params.missingProperty}` : instancePath;
}

/** Ajv's messages name rules and fields of the schema, never values of the data. */
const describe = ({ instancePath, message }: ValidationError): string =>
  instancePath === "" ? `${message}` : `at ${instancePath} ${message}`;

function keyFault(event: Envelope, { partitionKey }: EventDefinition): Fault | undefined {
  const key = keyOf(event);
  const field = typeof event.partitionkey === "string" ? "/partitionkey" : "/subject";
  const refuse = (detail: string): Fault => ({ problem: "invalidKey", field, detail });
  if (key === undefined || key === "") {
    return {
      ...refuse(`partitionkey, or else subject, must hold data.${partitionKey}.`),
      field: "/partitionkey",
    };
  }
  if (Buffer.byteLength(key) > maxKeyBytes) return refuse(`The key takes more than ${maxKeyBytes} bytes.`);
  const data = event.data as Readonly<Record<string, unknown>>;
  return String(data[partitionKey]) === key ? undefined : refuse(`The key must equal data.${partitionKey}.`);
}

/** The Kafka key; null stands for absent in CloudEvents' JSON format. */
const keyOf = (event: Envelope): string | undefined => event.partitionkey ?? event.subject ?? undefined;

/** Null stands for absent in CloudEvents' JSON format. */
const topicFor = ({ priority }: Envelope, definition: EventDefinition): string | undefined =>
  priority === undefined || priority === null ? definition.topic : topicOfPriority(definition, priority);

function priorityFault(definition: EventDefinition): Fault {
  const possible = topicsOfType(definition).map((topic) => topics[topic].priority);
  const detail = `priority must be absent or, for an event of this type, ${possible.join(" or ")}.`;
  return { problem: "unknownPriority", field: "/priority", detail };
}

/** Undefined where the data is nested more deeply than the serializer's stack: the parser takes more than it does. */
function serialize(event: Envelope): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(event));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function undecodableFault({ undecodable }: ReceivedEvent): Fault | undefined {
  if (undecodable === undefined) return undefined;
  const detail = `The header ce-${undecodable} is not validly percent-encoded UTF-8.`;
  return { problem: "invalidEnvelope", field: `/${undecodable}`, detail };
}

function echoedId(event: unknown): string | undefined {
  if (typeof event !== "object" || event === null || !("id" in event)) return undefined;
  const { id } = event;
  return typeof id === "string" && id.length <= MAX_ECHOED_ID_LENGTH ? id : undefined;
}
