/** The notice of a result: what it says, and the id that stays the same however often it is delivered. */
import { createHash } from "node:crypto";
import { SPEC_VERSION } from "../../contracts/cloudevent.ts";
import { type Notice, type NoticeData, noticeType } from "../../contracts/notices.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import type { ServedSeries } from "../../contracts/served-series.ts";
import type { StoredResult } from "./batch.ts";

/**
 * An entry of PutEvents may have 256 KB, and so may what Lambda is called with asynchronously, to which EventBridge adds
 * an envelope.
 */
export const MAX_NOTICE_BYTES = 240 * 1024;

/**
 * The notices of a batch, each once, in the order of its results. Retractions are not told: what was said cannot be
 * unsaid, and series that retract have a revision that says more.
 */
export function noticesOf(
  results: readonly StoredResult[],
  series: ReadonlyMap<string, ServedSeries>,
  environment: string,
): Notice[] {
  const notices = new Map<string, Notice>();
  for (const { result } of results) {
    if (result.kind !== "result" || series.get(result.pipeline)?.notify !== true) continue;
    const id = noticeId(result);
    if (!notices.has(id)) notices.set(id, noticeOf(id, result, environment));
  }
  return [...notices.values()];
}

/**
 * Of what the result is about, never of the checkpoint that wrote it: one that was aborted and sent again, and one that
 * a reset made anew, has the same.
 */
function noticeId({ pipeline, key, window, pane = 0, revision }: ResultRecord): string {
  const identity = JSON.stringify([pipeline, key, window.start, window.end, pane, revision]);
  return createHash("sha256").update(identity).digest("base64url").slice(0, 27);
}

function noticeOf(id: string, result: ResultRecord, environment: string): Notice {
  const about = {
    specversion: SPEC_VERSION,
    id,
    source: `urn:spillway:${environment}:${result.pipeline}`,
    type: noticeType(result.pipeline),
    subject: result.key,
    datacontenttype: "application/json",
  } as const;
  const notice = { ...about, data: dataOf(result) };
  const fits = Buffer.byteLength(JSON.stringify(notice)) <= MAX_NOTICE_BYTES;
  return fits ? notice : { ...about, dataref: referenceTo(result) };
}

const dataOf = ({ key, window, value, revision, pane }: ResultRecord): NoticeData => ({
  key,
  window: { start: new Date(window.start).toISOString(), end: new Date(window.end).toISOString() },
  value,
  revision,
  ...(pane === undefined ? {} : { pane }),
});

const referenceTo = ({ pipeline, key, window }: ResultRecord): string =>
  `/results/${pipeline}/${encodeURIComponent(key)}?from=${window.start}&to=${window.start + 1}`;
