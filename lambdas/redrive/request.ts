import type { AgedOutRequest } from "../../contracts/aged-out.ts";
import {
  entryStates,
  isEntryReason,
  type RedriveRequest,
  type Selection,
} from "../../contracts/dead-letter-archive.ts";

const MAX_RATE_PER_SECOND = 10_000;

/** The request is no redrive's: the message says what it must hold. */
export class RedriveRequestError extends Error {
  override readonly name = "RedriveRequestError";
}

/**
 * Checks what the function was invoked with; a redrive changes much, so that a slip in a name must not widen it.
 * @throws RedriveRequestError
 */
export function readRequest(request: RedriveRequest): RedriveRequest {
  const { redriveId, execute, selection, ratePerSecond, maxFailureShare, maxEntries } = request;
  demand(typeof redriveId === "string" && /^[0-9a-f-]{36}$/.test(redriveId), "redriveId must be a UUID");
  demand(typeof execute === "boolean", "execute must be true or false");
  demand(
    isBetween(ratePerSecond, 1, MAX_RATE_PER_SECOND),
    `ratePerSecond must be 1 to ${MAX_RATE_PER_SECOND}`,
  );
  demand(isBetween(maxFailureShare, 0, 1), "maxFailureShare must be 0 to 1");
  demand(
    maxEntries === undefined || isBetween(maxEntries, 1, Number.MAX_SAFE_INTEGER),
    "maxEntries must be 1 or more",
  );
  checkSelection(selection);
  return request;
}

/** @throws RedriveRequestError */
export function readAgedOutRequest(request: AgedOutRequest): AgedOutRequest {
  const { execute, eventsPerSecond, maxObjects } = request;
  demand(typeof execute === "boolean", "execute must be true or false");
  demand(
    isBetween(eventsPerSecond, 1, MAX_RATE_PER_SECOND),
    `eventsPerSecond must be 1 to ${MAX_RATE_PER_SECOND}`,
  );
  demand(
    maxObjects === undefined || isBetween(maxObjects, 1, Number.MAX_SAFE_INTEGER),
    "maxObjects must be 1 or more",
  );
  return request;
}

const kinds: Readonly<Record<keyof Selection, "string" | "number">> = {
  state: "string",
  id: "string",
  reason: "string",
  type: "string",
  pipeline: "string",
  sinceMs: "number",
  untilMs: "number",
};

function checkSelection(selection: Selection): void {
  demand(typeof selection === "object" && selection !== null, "selection must be an object");
  for (const [name, value] of Object.entries(selection)) {
    const kind = (kinds as Readonly<Record<string, string>>)[name];
    demand(kind !== undefined, `selection must not hold ${name}`);
    demand(value === undefined || typeof value === kind, `selection.${name} must be a ${kind}`);
  }
  demand(entryStates.includes(selection.state), `selection.state must be one of ${entryStates.join(", ")}`);
  demand(
    selection.reason === undefined || isEntryReason(selection.reason),
    "selection.reason must be one of docs/dead-letters.md",
  );
}

const isBetween = (value: unknown, min: number, max: number): boolean =>
  typeof value === "number" && value >= min && value <= max;

function demand(holds: boolean, rule: string): asserts holds {
  if (!holds)
    throw new RedriveRequestError(`${rule}; see contracts/dead-letter-archive.ts and contracts/aged-out.ts.`);
}
