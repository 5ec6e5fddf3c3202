/** API Gateway's payload format 2.0, both ways (HTTP APIs, "Working with AWS Lambda proxy integrations"). */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isObject, type Json } from "../assembly/json.ts";
import type { JwtContext } from "./jwt.ts";

/** What the gateway knows about the API beside the request. */
export interface ApiIdentity {
  readonly apiId: string;
  readonly accountId: string;
  readonly domainName: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly url: string;
  /** Header names and values in turn, as `IncomingMessage.rawHeaders`. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly httpVersion: string;
}

export interface MatchedRoute {
  readonly routeKey: string;
  /** Decoded. */
  readonly pathParameters: Readonly<Record<string, string>>;
  /** Only where the route asks for a token. */
  readonly jwt?: JwtContext;
}

export interface HttpResponse {
  readonly statusCode: number;
  /** A header with several values has an array. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/**
 * The only content types whose bodies reach the function as text; anything else, no content type included, comes
 * in base64. AWS documents "binary" without saying what it is; this list was observed on real HTTP APIs
 * (https://github.com/ministackorg/ministack/pull/766). So `application/cloudevents+json` is binary.
 */
const TEXT_TYPES = new Set(["application/json", "application/xml", "application/javascript"]);

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Headers that concern one connection only, and those that the event carries elsewhere. */
const DROPPED_HEADERS = new Set([
  "connection",
  "cookie",
  "expect",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The event a Lambda integration sends, as JSON text. */
export function requestEvent(request: HttpRequest, route: MatchedRoute, api: ApiIdentity, now: Date): string {
  const [rawPath, rawQueryString] = splitUrl(request.url);
  const { headers, cookies } = collectHeaders(request);
  const query = queryParameters(rawQueryString);
  const base64 = !isText(headers["content-type"]);
  return JSON.stringify({
    version: "2.0",
    routeKey: route.routeKey,
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers: {
      ...headers,
      "content-length": String(request.body.length),
      "x-amzn-trace-id": `Root=1-${hex(now)}-${randomUUID().replaceAll("-", "").slice(0, 24)}`,
      "x-forwarded-for": request.sourceIp,
      "x-forwarded-port": "443",
      "x-forwarded-proto": "https",
    },
    ...(Object.keys(query).length > 0 ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      ...(route.jwt && { authorizer: { jwt: route.jwt } }),
      domainName: api.domainName,
      domainPrefix: api.domainName.split(".")[0],
      http: {
        method: request.method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: route.routeKey,
      stage: api.stage,
      time: logTime(now),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(route.pathParameters).length > 0 ? { pathParameters: route.pathParameters } : {}),
    ...(Object.keys(api.stageVariables).length > 0 ? { stageVariables: api.stageVariables } : {}),
    ...(request.body.length > 0 ? { body: request.body.toString(base64 ? "base64" : "utf8") } : {}),
    isBase64Encoded: request.body.length > 0 && base64,
  });
}

/** The answer to the client for what the function returned; undefined where it is no valid response. */
export function responseOf(payload: string): HttpResponse | undefined {
  const result = JSON.parse(payload) as Json;
  if (!isObject(result) || result.statusCode === undefined) {
    // Without a status code the whole result is the body, and JSON.
    const body = typeof result === "string" ? result : JSON.stringify(result);
    return { statusCode: 200, headers: { "content-type": "application/json" }, body: Buffer.from(body) };
  }
  const statusCode = Number(result.statusCode);
  const { body = "", headers = {}, cookies = [] } = result;
  if (!(Number.isInteger(statusCode) && statusCode >= 100 && statusCode <= 599)) return undefined;
  if (typeof body !== "string" || !isObject(headers) || !Array.isArray(cookies)) return undefined;
  const sent: Record<string, string | string[]> = { "content-type": "text/plain;charset=UTF-8" };
  for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = String(value);
  if (cookies.length > 0) sent["set-cookie"] = cookies.map(String);
  return {
    statusCode,
    headers: sent,
    body: Buffer.from(body, result.isBase64Encoded === true ? "base64" : "utf8"),
  };
}

/** An answer of the gateway itself. */
export const gatewayAnswer = (statusCode: number, message: string): HttpResponse => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: Buffer.from(JSON.stringify({ message })),
});

export const sourceIpOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? "127.0.0.1";

function collectHeaders({ rawHeaders }: HttpRequest): { headers: Record<string, string>; cookies: string[] } {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    const value = rawHeaders[index + 1]!;
    if (name === "cookie") cookies.push(...value.split(";").map((cookie) => cookie.trim()));
    if (DROPPED_HEADERS.has(name)) continue;
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return { headers, cookies };
}

function queryParameters(rawQueryString: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    parameters[name] = parameters[name] === undefined ? value : `${parameters[name]},${value}`;
  }
  return parameters;
}

function isText(contentType: string | undefined): boolean {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  return mediaType.startsWith("text/") || TEXT_TYPES.has(mediaType);
}

export function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** `12/Mar/2020:19:03:58 +0000`, the format of access logs. */
function logTime(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${two(now.getUTCDate())}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}`;
  return `${date}:${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
}

const hex = (now: Date): string => Math.floor(now.getTime() / 1000).toString(16);
