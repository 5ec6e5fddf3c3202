import type { ResultRecord, ResultVersion } from "../../contracts/results.ts";
import { resultsTopic } from "../../contracts/topics.ts";

/** The last millisecond that a date can hold (ECMAScript's time value): a window for all time ends there. */
const MAX_WINDOW_MS = 8.64e15;
/** As many as the digits that `versionText` pads to: a larger number would sort before a smaller one. */
const MAX_GENERATION = 999_999;
const MAX_CHECKPOINT = 999_999_999_999;
const MAX_INDEX = 99_999_999;
const MAX_PANE = 999_999_999_999;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes the value of a record on `topic` into a ResultRecord (contracts/results.ts). Where it is none, returns a
 * sentence that says why, without the payload.
 */
export function readResult(topic: string, value: Buffer): ResultRecord | string {
  const result = parse(value);
  if (result === undefined) return "The value is not JSON in UTF-8.";
  if (!isRecord(result)) return "The value is not a JSON object.";
  if (result.kind !== "result" && result.kind !== "retract") return 'kind is neither "result" nor "retract".';
  if (typeof result.pipeline !== "string" || resultsTopic(result.pipeline) !== topic) {
    return "pipeline is not the one whose results topic this is.";
  }
  if (typeof result.key !== "string" || !result.key.isWellFormed()) return "key is not a well-formed string.";
  if (!isWindow(result.window)) return "window is not a start and a later end in milliseconds.";
  if (!isRecord(result.value) && result.kind === "result") return "value is not an object.";
  if (result.pane !== undefined && (!isCount(result.pane, MAX_PANE) || result.pane === 0)) {
    return "pane is not an integer from 1.";
  }
  if (!isCount(result.revision, Number.MAX_SAFE_INTEGER) || result.revision === 0) {
    return "revision is not an integer from 1.";
  }
  if (!isVersion(result.version)) return "version is not a generation, checkpoint and index.";
  return result as unknown as ResultRecord;
}

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(value));
  } catch {
    return undefined;
  }
}

const isWindow = (window: unknown): window is ResultRecord["window"] =>
  isRecord(window) && isWindowEdge(window.start) && isWindowEdge(window.end) && window.start < window.end;

const isWindowEdge = (edge: unknown): edge is number =>
  Number.isInteger(edge) && Math.abs(edge as number) <= MAX_WINDOW_MS;

const isVersion = (version: unknown): version is ResultVersion =>
  isRecord(version) &&
  isCount(version.generation, MAX_GENERATION) &&
  isCount(version.checkpoint, MAX_CHECKPOINT) &&
  isCount(version.index, MAX_INDEX);

const isCount = (value: unknown, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
