/** The example of docs/serving.md: what a receiver does. */
import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE_S = 300;

/** The notice, or undefined where the request is not from Spillway, or is an old one that somebody sends again. */
export function verified(secret: string, headers: Headers, body: string, nowMs: number): unknown {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > TOLERANCE_S) return undefined;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  const given = (headers.get("webhook-signature") ?? "").split(" ");
  const isOurs = given.some((text) => {
    const [version, base64 = ""] = text.split(",");
    const signature = Buffer.from(base64, "base64");
    return version === "v1" && signature.length === expected.length && timingSafeEqual(signature, expected);
  });
  return isOurs ? JSON.parse(body) : undefined;
}
