/** What is told of a new result: on the event bus, and by the webhook. A CloudEvent (1.0, structured JSON). */
import type { SPEC_VERSION } from "./cloudevent.ts";

/** What every entry on the bus has as its source; the CloudEvent in it has one of its own. */
export const NOTICE_SOURCE = "spillway";

/** The type of a notice, and the bus's detail type: rules choose by it. */
export const noticeType = (series: string): string => `spillway.result.${series}`;

export interface Notice {
  readonly specversion: typeof SPEC_VERSION;
  /** The same however often it is sent, and after a reset of the pipeline: what receivers dedupe by. */
  readonly id: string;
  /** `urn:spillway:<environment>:<series>`. */
  readonly source: string;
  readonly type: string;
  /** The result's key. */
  readonly subject: string;
  readonly datacontenttype: "application/json";
  /** Absent where it is too large for the bus: then `dataref` says where it is. */
  readonly data?: NoticeData;
  /** CloudEvents' extension of that name: the request to the results API that answers the result. */
  readonly dataref?: string;
}

/** As the results API has it. */
export interface NoticeData {
  readonly key: string;
  /** RFC 3339 in UTC; end exclusive. */
  readonly window: { readonly start: string; readonly end: string };
  readonly value: unknown;
  readonly revision: number;
  readonly pane?: number;
}

/** Attribute names of the table of notices that were put on the bus. */
export const noticesTable = { partitionKey: "id", expiresAt: "expiresAt" } as const;

/** How long a notice is known to have been sent. A topic of results keeps a week, a replay after a reset takes less. */
export const NOTICE_TTL_S = 90 * 86_400;
