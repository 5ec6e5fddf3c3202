import { describe, expect, it } from "vitest";
import { TokenBucket } from "../../../local/http/request-limit.ts";
import { matchRoute } from "../../../local/http/routes.ts";

const routes = [
  "$default",
  "ANY /{proxy+}",
  "GET /results/{pipeline}/{key}",
  "GET /results/{pipeline}/latest",
  "ANY /results/{pipeline}/{key}",
  "POST /events",
].map((routeKey) => ({ routeKey }));

describe("the routes of an HTTP API", () => {
  it.each<[string, string, string, Record<string, string>]>([
    ["POST", "/events", "POST /events", {}],
    ["GET", "/results/p/k%2F1", "GET /results/{pipeline}/{key}", { pipeline: "p", key: "k/1" }],
    ["GET", "/results/p/latest", "GET /results/{pipeline}/latest", { pipeline: "p" }],
    ["PUT", "/results/p/k", "ANY /results/{pipeline}/{key}", { pipeline: "p", key: "k" }],
    ["GET", "/events", "ANY /{proxy+}", { proxy: "events" }],
    ["GET", "/a/b", "ANY /{proxy+}", { proxy: "a/b" }],
  ])("match %s %s to %s", (method, path, routeKey, pathParameters) => {
    const match = matchRoute(routes, method, path);
    expect(match?.route.routeKey).toBe(routeKey);
    expect(match?.pathParameters).toEqual(pathParameters);
  });

  it("fall back to $default, and to nothing without one", () => {
    const exact = [{ routeKey: "POST /events" }];
    expect(matchRoute([...exact, { routeKey: "$default" }], "GET", "/x")?.route.routeKey).toBe("$default");
    expect(matchRoute(exact, "GET", "/events")).toBeUndefined();
    expect(matchRoute(exact, "POST", "/events/more")).toBeUndefined();
  });
});

describe("a stage's throttle", () => {
  it("lets a burst through and then the rate", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
    expect([bucket.take(100), bucket.take(100)]).toEqual([true, false]);
    expect([bucket.take(60_000), bucket.take(60_000), bucket.take(60_000)]).toEqual([true, true, false]);
  });
});
