/**
 * What an HTTP API's JWT authorizer checks of a token, but for its signature: the issuer's keys are not on this machine,
 * so that anybody may make a token here, and one that has expired is refused all the same
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html).
 */
import { isObject, type Json, type JsonObject } from "../assembly/json.ts";

export interface JwtAuthorizer {
  readonly issuer: string;
  /** One of them must be the token's `aud`, or its `client_id` where it has none. */
  readonly audience: readonly string[];
}

/** `requestContext.authorizer.jwt` of payload format 2.0. */
export interface JwtContext {
  /** The gateway writes every claim as text, a list as `[a b]`. */
  readonly claims: Readonly<Record<string, string>>;
  /** Only of routes that ask for scopes, which these do not. */
  readonly scopes: null;
}

/** Undefined where the gateway would answer 401. */
export function checkToken(
  authorization: string | undefined,
  { issuer, audience }: JwtAuthorizer,
  nowMs: number,
): JwtContext | undefined {
  const claims = claimsOf((authorization ?? "").replace(/^Bearer\s+/i, ""));
  if (claims === undefined || claims.iss !== issuer) return undefined;
  const audiences = [claims.aud ?? claims.client_id ?? ""].flat();
  if (!audiences.some((one) => audience.includes(String(one)))) return undefined;
  const nowS = nowMs / 1_000;
  const { exp, nbf, iat } = claims;
  const isCurrent = typeof exp === "number" && exp > nowS && !isLater(nbf, nowS) && !isLater(iat, nowS);
  if (!isCurrent) return undefined;
  const texts = Object.entries(claims).map(([name, value]) => [name, textOf(value)] as const);
  return { claims: Object.fromEntries(texts), scopes: null };
}

const isLater = (time: Json | undefined, nowS: number): boolean => typeof time === "number" && time > nowS;

const textOf = (value: Json): string =>
  Array.isArray(value) ? `[${value.map(String).join(" ")}]` : String(value);

function claimsOf(token: string): JsonObject | undefined {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Json;
    return isObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
