/** The parameters of GET /results/{pipeline}/{key}, read and checked. */
import { maxKeyBytes } from "../../contracts/limits.ts";
import { PUBLIC_PATH } from "../../contracts/public-path.ts";
import { parseRfc3339 } from "../../contracts/rfc3339.ts";
import type { ServedSeries } from "../../contracts/served-series.ts";
import { makeProblem, type ProblemType, RequestRefusedError } from "../../runtime/problem.ts";
import { type Position, readNextToken } from "./next-token.ts";

const DAY_MS = 86_400_000;

/** How far back a request without `from` looks: one day. */
export const DEFAULT_RANGE_MS = DAY_MS;
/** The longest range of one request: a leap year. */
export const MAX_RANGE_MS = 366 * DAY_MS;
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;

const UNKNOWN_PIPELINE: ProblemType = { code: "unknown-pipeline", title: "Unknown pipeline", status: 404 };
const INVALID_PARAMETER: ProblemType = { code: "invalid-parameter", title: "Invalid parameter", status: 400 };

/** The parts of API Gateway's HTTP API request (payload format 2.0) that are read; both maps hold decoded values. */
export interface HttpRequest {
  /** Of a function URL, which has no routes: see {@link PUBLIC_PATH}. */
  readonly rawPath?: string;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
}

export interface ResultsQuery {
  readonly series: ServedSeries;
  readonly key: string;
  /** Milliseconds; windows that start at or after it. */
  readonly fromMs: number;
  /** Milliseconds; windows that start before it. */
  readonly toMs: number;
  readonly limit: number;
  /** Where the page begins; undefined for the first page. */
  readonly position: Position | undefined;
}

/** Throws {@link RequestRefusedError}: 404 for a pipeline that does not exist, 400 for a parameter. */
export function readQuery(
  request: HttpRequest,
  served: ReadonlyMap<string, ServedSeries>,
  nowMs: number,
): ResultsQuery {
  const { pipeline = "", key = "" } = placeOf(request);
  const series = served.get(pipeline);
  if (series === undefined) throw refused(UNKNOWN_PIPELINE, "pipeline", "No pipeline has this name.");
  if (key === "") throw refused(INVALID_PARAMETER, "key", "The request must name a key.");
  if (Buffer.byteLength(key) > maxKeyBytes) {
    throw refused(
      INVALID_PARAMETER,
      "key",
      `The key takes more than ${maxKeyBytes} bytes; no result has such a key.`,
    );
  }
  const parameters = request.queryStringParameters ?? {};
  const toMs = readTime("to", parameters.to) ?? nowMs;
  const fromMs = readTime("from", parameters.from) ?? toMs - DEFAULT_RANGE_MS;
  if (fromMs > toMs) throw refused(INVALID_PARAMETER, "from", "from must not lie after to.");
  if (toMs - fromMs > MAX_RANGE_MS) {
    throw refused(
      INVALID_PARAMETER,
      "from",
      `from and to may lie at most ${MAX_RANGE_MS} ms (366 days) apart.`,
    );
  }
  return {
    series,
    key,
    fromMs,
    toMs,
    limit: readLimit(parameters.limit),
    position: readPosition(parameters.next),
  };
}

/** The public path ends with the pipeline; the key is a parameter there, as function URLs say not how they decode paths. */
function placeOf({ pathParameters, rawPath = "", queryStringParameters }: HttpRequest): {
  readonly pipeline?: string | undefined;
  readonly key?: string | undefined;
} {
  if (pathParameters !== undefined || !rawPath.startsWith(PUBLIC_PATH)) return pathParameters ?? {};
  return { pipeline: rawPath.slice(PUBLIC_PATH.length), key: queryStringParameters?.key };
}

/** RFC 3339, or whole milliseconds since the epoch. */
function readTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const timeMs = /^-?\d{1,15}$/.test(text) ? Number(text) : parseRfc3339(text);
  if (timeMs === undefined) {
    const detail = `${name} must be an RFC 3339 date-time or milliseconds since the epoch; a + in it is written %2B.`;
    throw refused(INVALID_PARAMETER, name, detail);
  }
  return timeMs;
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw refused(INVALID_PARAMETER, "limit", `limit must be an integer from 1 to ${MAX_LIMIT}.`);
}

function readPosition(text: string | undefined): Position | undefined {
  if (text === undefined) return undefined;
  const position = readNextToken(text);
  if (position !== undefined) return position;
  throw refused(INVALID_PARAMETER, "next", "next must be the token of the page before, unchanged.");
}

const refused = (type: ProblemType, field: string, detail: string): RequestRefusedError =>
  new RequestRefusedError(makeProblem(type, detail, { field }));
