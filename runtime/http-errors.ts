import type middy from "@middy/core";
import { internalErrorResponse, problemResponse, RequestRefusedError } from "./problem.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * Middleware for HTTP functions: a {@link RequestRefusedError} is answered with its problem, anything else is logged
 * and answered 500. Without it the gateway would answer in a format of its own.
 */
export function answerErrors({ logger }: Telemetry): middy.MiddlewareObj {
  return {
    onError: (request) => {
      const { error } = request;
      if (error instanceof RequestRefusedError) {
        request.response = problemResponse(error.problem, { headers: error.headers });
        return;
      }
      logger.error("The request failed unexpectedly.", error as Error);
      request.response = internalErrorResponse();
    },
  };
}
