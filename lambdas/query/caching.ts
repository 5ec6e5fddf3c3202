/** What an answer says to caches, and the conditional request that asks whether it is still the same (RFC 9110, 9111). */
import { createHash } from "node:crypto";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { Access } from "../../contracts/served-series.ts";

/** How old an answer may be whose windows are still open. */
export const OPEN_MAX_AGE_S = 2;
/**
 * Of one that changes no more. Caches of clients ask again after five minutes, and get a 304: only a reset of the
 * pipeline makes results anew, and nobody can take back what a client keeps. The CDN's copies can be taken back.
 */
export const CLOSED_MAX_AGE_S = 300;
export const CLOSED_SHARED_MAX_AGE_S = 365 * 86_400;

export function cacheControl(access: Access, closed: boolean): string {
  const maxAge = `${access}, max-age=${closed ? CLOSED_MAX_AGE_S : OPEN_MAX_AGE_S}`;
  return closed && access === "public" ? `${maxAge}, s-maxage=${CLOSED_SHARED_MAX_AGE_S}` : maxAge;
}

/** Strong: equal tags mean equal bytes. */
export const entityTag = (body: string): string =>
  `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;

/** 200 with the body, or 304 without it where `ifNoneMatch` names it; both with the same tag and cache control. */
export function cacheableAnswer(
  body: string,
  control: string,
  ifNoneMatch: string | undefined,
): APIGatewayProxyStructuredResultV2 {
  const etag = entityTag(body);
  const headers = { "cache-control": control, etag };
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag)) return { statusCode: 304, headers };
  return { statusCode: 200, headers: { "content-type": "application/json", ...headers }, body };
}

/**
 * Compared weakly, as If-None-Match is (RFC 9110, 13.1.2): CloudFront makes a tag weak where it compresses the answer.
 * A tag of ours holds no comma.
 */
const names = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.split(",").some((part) => {
    const tag = part.trim().replace(/^W\//, "");
    return tag === etag || tag === "*";
  });
