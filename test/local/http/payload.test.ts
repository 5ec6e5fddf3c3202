import { describe, expect, it } from "vitest";
import { type HttpRequest, requestEvent, responseOf } from "../../../local/http/payload.ts";

const api = {
  apiId: "door",
  accountId: "000000000000",
  domainName: "127.0.0.1:1",
  stage: "$default",
  stageVariables: {},
};
const now = new Date(Date.UTC(2026, 2, 12, 19, 3, 58));

function eventOf(request: Partial<HttpRequest>, pathParameters: Record<string, string> = {}) {
  const whole: HttpRequest = {
    method: "POST",
    url: "/events",
    rawHeaders: [],
    body: Buffer.alloc(0),
    sourceIp: "127.0.0.1",
    httpVersion: "1.1",
    ...request,
  };
  return JSON.parse(requestEvent(whole, { routeKey: "POST /events", pathParameters }, api, now));
}

describe("the event of payload format 2.0", () => {
  it("carries path, query, headers and cookies as the gateway does", () => {
    const event = eventOf(
      {
        url: "/events/a%20b?x=1&x=2&y=%C3%A9",
        rawHeaders: [
          "X-Two",
          "a",
          "x-two",
          "b",
          "Cookie",
          "c=1; d=2",
          "Connection",
          "close",
          "User-Agent",
          "me",
        ],
      },
      { key: "a b" },
    );
    expect(event).toMatchObject({
      version: "2.0",
      routeKey: "POST /events",
      rawPath: "/events/a%20b",
      rawQueryString: "x=1&x=2&y=%C3%A9",
      cookies: ["c=1", "d=2"],
      queryStringParameters: { x: "1,2", y: "é" },
      pathParameters: { key: "a b" },
      isBase64Encoded: false,
    });
    expect(event.headers).toMatchObject({ "x-two": "a,b", "user-agent": "me", "content-length": "0" });
    expect(Object.keys(event.headers)).not.toContain("cookie");
    expect(Object.keys(event.headers)).not.toContain("connection");
    expect(event.requestContext).toMatchObject({
      http: {
        method: "POST",
        path: "/events/a%20b",
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: "me",
      },
      routeKey: "POST /events",
      stage: "$default",
      time: "12/Mar/2026:19:03:58 +0000",
      timeEpoch: now.getTime(),
    });
  });

  it("leaves out what the request has not", () => {
    const event = eventOf({});
    for (const key of ["body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"]) {
      expect(event).not.toHaveProperty(key);
    }
  });

  it.each<[string | undefined, boolean]>([
    ["application/json", false],
    ["application/json; charset=utf-8", false],
    ["Application/XML", false],
    ["application/javascript", false],
    ["text/csv", false],
    ["application/cloudevents+json", true],
    ["application/x-www-form-urlencoded", true],
    ["application/octet-stream", true],
    [undefined, true],
  ])("passes a body of %s in base64: %s", (contentType, base64) => {
    const rawHeaders = contentType === undefined ? [] : ["Content-Type", contentType];
    const event = eventOf({ rawHeaders, body: Buffer.from("né") });
    expect(event.isBase64Encoded).toBe(base64);
    expect(Buffer.from(event.body, base64 ? "base64" : "utf8").toString()).toBe("né");
  });
});

describe("the response of payload format 2.0", () => {
  it("takes status, headers, cookies and a base64 body", () => {
    const response = responseOf(
      JSON.stringify({
        statusCode: 201,
        headers: { "Content-Type": "image/png", "X-N": 3 },
        cookies: ["a=1", "b=2"],
        body: "AQI=",
        isBase64Encoded: true,
      }),
    );
    expect(response).toEqual({
      statusCode: 201,
      headers: { "content-type": "image/png", "x-n": "3", "set-cookie": ["a=1", "b=2"] },
      body: Buffer.from([1, 2]),
    });
  });

  it.each<[unknown, string]>([
    [{ plain: true }, '{"plain":true}'],
    ["text", "text"],
    [[1], "[1]"],
    [null, "null"],
  ])("makes %j a JSON answer of status 200", (result, body) => {
    const response = responseOf(JSON.stringify(result));
    expect(response).toMatchObject({ statusCode: 200, headers: { "content-type": "application/json" } });
    expect(String(response?.body)).toBe(body);
  });

  it.each([
    { statusCode: 99 },
    { statusCode: "many" },
    { statusCode: 200, body: { not: "text" } },
    { statusCode: 200, headers: [] },
    { statusCode: 200, cookies: "a=1" },
  ])("finds %j no response", (result) => {
    expect(responseOf(JSON.stringify(result))).toBeUndefined();
  });
});
