/** The three content modes of CloudEvents' HTTP binding 1.0.2: from a request to the events it carries, unjudged. */
import { BATCH_MEDIA_TYPE, STRUCTURED_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import { maxEventsPerRequest } from "../../contracts/limits.ts";
import { makeProblem, RequestRefusedError } from "../../runtime/problem.ts";
import { type Body, type HttpRequest, readBody } from "./body.ts";
import { isUtf8, type MediaType, parseMediaType } from "./media-type.ts";
import { ingestProblems } from "./problems.ts";

const HEADER_PREFIX = "ce-";
const JSON_MEDIA_TYPE = "application/json";

/** An event as it came, not yet judged. */
export interface ReceivedEvent {
  readonly event: unknown;
  /** The event's own bytes, where the body holds nothing else: they go to Kafka as they are. */
  readonly bytes?: Buffer;
  /** An attribute that could not be decoded from its header, binary mode only. */
  readonly undecodable?: string;
}

/** Reads a request's events. Throws {@link RequestRefusedError} where the request as a whole is refused. */
export function readEvents(request: HttpRequest): readonly ReceivedEvent[] {
  const mediaType = parseMediaType(request.headers["content-type"]);
  const read = readerFor(request, mediaType);
  if (read === undefined || !isUtf8(mediaType)) throw unsupportedMediaType();
  return read(readBody(request));
}

function readerFor(
  request: HttpRequest,
  { essence }: MediaType,
): ((body: Body) => readonly ReceivedEvent[]) | undefined {
  if (essence === BATCH_MEDIA_TYPE) return readBatch;
  if (essence === STRUCTURED_MEDIA_TYPE) {
    return (body) => [{ event: parse(body.text), bytes: body.bytes }];
  }
  const isBinary = Object.keys(request.headers).some((name) => name.startsWith(HEADER_PREFIX));
  // Without a Content-Type the data is JSON (CloudEvents 1.0.2, section 3.1, datacontenttype).
  if (isBinary && (essence === JSON_MEDIA_TYPE || essence === "")) {
    return (body) => [binaryEvent(request, parse(body.text))];
  }
  return undefined;
}

function readBatch(body: Body): readonly ReceivedEvent[] {
  const events = parse(body.text);
  if (!Array.isArray(events)) {
    const detail = `A body of ${BATCH_MEDIA_TYPE} must be a JSON array of events.`;
    throw new RequestRefusedError(makeProblem(ingestProblems.malformedBody, detail));
  }
  if (events.length > maxEventsPerRequest) {
    const detail = `The request holds ${events.length} events; at most ${maxEventsPerRequest} are taken. Split it.`;
    throw new RequestRefusedError(makeProblem(ingestProblems.tooManyEvents, detail));
  }
  return events.map((event: unknown) => ({ event }));
}

function binaryEvent(request: HttpRequest, data: unknown): ReceivedEvent {
  const attributes: Record<string, unknown> = {};
  for (const [header, value] of Object.entries(request.headers)) {
    if (!header.startsWith(HEADER_PREFIX) || value === undefined) continue;
    const name = header.slice(HEADER_PREFIX.length);
    // The body is the data and Content-Type its type; headers that say so again could only contradict them.
    if (name === "data" || name === "datacontenttype") continue;
    const decoded = decodeHeaderValue(value);
    if (decoded === undefined) return { event: attributes, undecodable: name };
    attributes[name] = decoded;
  }
  const datacontenttype = request.headers["content-type"] ?? JSON_MEDIA_TYPE;
  return { event: { ...attributes, datacontenttype, data } };
}

/** HTTP binding 1.0.2, section 3.1.3.2: unquote, then percent-decode once; undefined where that is not UTF-8. */
function decodeHeaderValue(value: string): string | undefined {
  const quoted = /^"(.*)"$/s.exec(value.trim())?.[1];
  try {
    return decodeURIComponent(quoted === undefined ? value : quoted.replace(/\\(.)/gs, "$1"));
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the payload, so it is not passed on.
    const detail = "The body is not valid JSON. Was it cut short?";
    throw new RequestRefusedError(makeProblem(ingestProblems.malformedBody, detail));
  }
}

function unsupportedMediaType(): RequestRefusedError {
  const detail =
    `Send ${STRUCTURED_MEDIA_TYPE}, ${BATCH_MEDIA_TYPE}, or the attributes as ce- headers with ` +
    `${JSON_MEDIA_TYPE} data; in UTF-8.`;
  return new RequestRefusedError(makeProblem(ingestProblems.unsupportedMediaType, detail));
}
