/** Problem details for HTTP APIs (RFC 9457), as API Gateway's payload format 2.0 wants them answered. */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { SpillwayError } from "./errors.ts";

export interface ProblemType {
  /** The last part of the type URI `urn:spillway:problem:<code>`. */
  readonly code: string;
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What was wrong and what to do, for this occurrence. Never values of the payload. */
  readonly detail: string;
  /** The event's place in the request, from 0; only where the problem is one event's. */
  readonly index?: number;
  /** The event's id, where it had one. */
  readonly id?: string;
  /** JSON pointer (RFC 6901) to the failing field of the event; a parameter's name for other requests. */
  readonly field?: string;
}

/** Where in the request the problem lies. */
export type ProblemPlace = Pick<Problem, "index" | "id" | "field">;

export function makeProblem(type: ProblemType, detail: string, place: ProblemPlace = {}): Problem {
  return {
    type: `urn:spillway:problem:${type.code}`,
    title: type.title,
    status: type.status,
    detail,
    ...place,
  };
}

/**
 * The answer for a request that failed: the first problem's members, and, where there are several, all of them
 * under `problems`.
 */
export function problemResponse(
  problem: Problem,
  others: {
    readonly problems?: readonly Problem[];
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): APIGatewayProxyStructuredResultV2 {
  const { problems, headers } = others;
  return {
    statusCode: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
    body: JSON.stringify(problems === undefined ? problem : { ...problem, problems }),
  };
}

/** A whole request that is refused: thrown where that is found, answered with its problem at the door. */
export class RequestRefusedError extends SpillwayError {
  override readonly name = "RequestRefusedError";
  readonly code = "REQUEST_REFUSED";
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(problem: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(problem.title, problem.detail);
    this.problem = problem;
    this.headers = headers;
  }
}

const INTERNAL: ProblemType = { code: "internal", title: "Internal error", status: 500 };

/** What an unexpected error is answered with: nothing of the error itself, which is in the log. */
export const internalErrorResponse = (): APIGatewayProxyStructuredResultV2 =>
  problemResponse(
    makeProblem(INTERNAL, "The request failed for a reason inside the platform. Send it again later."),
  );
