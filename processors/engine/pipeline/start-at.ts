/** Where a pipeline that has no state yet begins. Once it has, this says nothing any more. */
import { PipelineError, requireName, shown } from "./checks.ts";
import { type PipelineDefinition, stagesOf } from "./definition.ts";

/**
 * - `earliest`: the first record that is still in the log.
 * - `latest`: what arrives from now on.
 * - `eventTimeMs`: events of this time and later; older ones count as ignored, also later on.
 * - `offsets`: the next offset to read, for each partition of the one topic.
 * - `savepoint`: the state and the position that `spillway savepoint` kept of the pipeline `of`.
 */
export type StartAt =
  | "earliest"
  | "latest"
  | { readonly eventTimeMs: number }
  | { readonly offsets: Readonly<Record<number, number>> }
  | { readonly savepoint: string; readonly of: string };

/** @throws PipelineError where the start itself cannot be meant */
export function requireStartAt(pipeline: string, startAt: StartAt): void {
  if (typeof startAt !== "object" || startAt === null) {
    if (startAt === "earliest" || startAt === "latest") return;
    throw new PipelineError(
      `pipeline ${pipeline}: startAt is ${shown(startAt)}; it must be earliest, latest, { eventTimeMs }, { offsets } or ` +
        "{ savepoint, of }",
    );
  }
  if ("eventTimeMs" in startAt) {
    if (Number.isSafeInteger(startAt.eventTimeMs)) return;
    throw new PipelineError(
      `pipeline ${pipeline}: startAt.eventTimeMs is ${shown(startAt.eventTimeMs)}; it must be a whole number of ` +
        "milliseconds since the epoch",
    );
  }
  if ("savepoint" in startAt) {
    requireName(`pipeline ${pipeline}: startAt.savepoint`, startAt.savepoint);
    requireName(`pipeline ${pipeline}: startAt.of`, startAt.of);
    return;
  }
  const wrong = Object.entries(startAt.offsets ?? {}).find(
    ([partition, offset]) => !(isWhole(Number(partition)) && isWhole(offset)),
  );
  if (wrong === undefined && Object.keys(startAt.offsets ?? {}).length > 0) return;
  throw new PipelineError(
    `pipeline ${pipeline}: startAt.offsets is ${JSON.stringify(startAt.offsets)}; it must have the next offset ` +
      "to read for each partition, { 0: 1200, 1: 980 }",
  );
}

/** @throws PipelineError where a pipeline of this shape cannot start there */
export function requireStartable(definition: PipelineDefinition): PipelineDefinition {
  const { name, startAt, upstream } = definition;
  if (typeof startAt === "string") return definition;
  const topics = stagesOf(definition).flatMap(({ inputs }) =>
    inputs.filter(({ role }) => role === "events").map(({ topic }) => topic),
  );
  if ("offsets" in startAt && topics.length > 1) {
    throw new PipelineError(
      `pipeline ${name}: startAt.offsets are those of one topic, and it reads ${topics.join(", ")}; ` +
        "start it at an event time",
    );
  }
  if ("savepoint" in startAt && upstream.length > 0) {
    throw new PipelineError(
      `pipeline ${name}: its stages are ${stagesOf(definition).map((stage) => stage.name)}, and a savepoint ` +
        "does not hold what is on the way between stages; start it at an event time",
    );
  }
  return definition;
}

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
