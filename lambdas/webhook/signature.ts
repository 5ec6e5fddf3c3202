/** Signatures of webhooks, as Standard Webhooks has them (https://github.com/standard-webhooks/standard-webhooks, v1). */
import { createHmac } from "node:crypto";

/** What a secret's text may begin with; the rest is base64 of 24 to 64 bytes. */
const SECRET_PREFIX = "whsec_";
const MIN_KEY_BYTES = 24;

/** The secret's bytes. Throws a RangeError where they are too few to be one. */
export function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.replace(SECRET_PREFIX, ""), "base64");
  if (key.length >= MIN_KEY_BYTES) return key;
  throw new RangeError(`The webhook's secret is not base64 of ${MIN_KEY_BYTES} bytes or more.`);
}

/**
 * The value of the header `webhook-signature`: one for each secret, so that receivers may change theirs at any time.
 * @param timestampS seconds since the epoch
 */
export const signatureOf = (
  secrets: readonly string[],
  id: string,
  timestampS: number,
  body: string,
): string =>
  secrets
    .map((secret) =>
      createHmac("sha256", keyOf(secret)).update(`${id}.${timestampS}.${body}`).digest("base64"),
    )
    .map((signature) => `v1,${signature}`)
    .join(" ");
