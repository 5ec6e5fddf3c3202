import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { maxBodyBytes, maxEventBytes, maxEventsPerRequest, maxKeyBytes } from "../../../contracts/limits.ts";
import type { HttpRequest } from "../../../lambdas/ingest/body.ts";
import { send } from "../support/door.ts";
import { batch, bytesRequest, flight, NOW_MS, request, structured, without } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";
const data = flight.data as Record<string, unknown>;
const iso = (ms: number): string => new Date(ms).toISOString();
const DAY_MS = 86_400_000;

const wholeRequests: [what: string, request: HttpRequest, status: number, type: string][] = [
  ["no body", { headers: { "content-type": STRUCTURED }, isBase64Encoded: false }, 400, "empty-body"],
  ["an empty body", request(STRUCTURED, ""), 400, "empty-body"],
  ["an empty gzip body", bytesRequest(STRUCTURED, Buffer.alloc(0), "gzip"), 400, "empty-body"],
  ["blanks", request(STRUCTURED, " \n"), 400, "empty-body"],
  ["truncated JSON", request(STRUCTURED, JSON.stringify(flight).slice(0, -9)), 400, "malformed-body"],
  ["a truncated batch", request(BATCH, `[${JSON.stringify(flight)},`), 400, "malformed-body"],
  ["a batch that is no array", batch(flight), 400, "malformed-body"],
  ["a byte order mark", request(STRUCTURED, `\uFEFF${JSON.stringify(flight)}`), 400, "malformed-body"],
  ["invalid UTF-8", bytesRequest(STRUCTURED, Buffer.from([0x22, 0xff, 0xfe, 0x22])), 400, "malformed-body"],
  ["invalid gzip", bytesRequest(STRUCTURED, Buffer.from("{}"), "gzip"), 400, "malformed-body"],
  ["too many events", batch(Array(maxEventsPerRequest + 1).fill(0)), 413, "too-many-events"],
  ["10,000 events", batch(Array(10_000).fill(0)), 413, "too-many-events"],
  ["a body beyond the limit", request(STRUCTURED, " ".repeat(maxBodyBytes + 1)), 413, "body-too-large"],
  [
    "a gzip bomb",
    bytesRequest(STRUCTURED, gzipSync(Buffer.alloc(64 * maxBodyBytes, 32)), "gzip"),
    413,
    "body-too-large",
  ],
  ["an unknown content type", request("text/plain", flight), 415, "unsupported-media-type"],
  ["plain JSON without attributes", request("application/json", flight), 415, "unsupported-media-type"],
  ["another event format", request("application/cloudevents+avro", flight), 415, "unsupported-media-type"],
  ["no content type", { ...structured(flight), headers: {} }, 415, "unsupported-media-type"],
  ["another charset", request(`${STRUCTURED}; charset=iso-8859-1`, flight), 415, "unsupported-media-type"],
  ["another encoding", bytesRequest(STRUCTURED, Buffer.from("{}"), "br"), 415, "unsupported-encoding"],
];

describe("a request refused as a whole", () => {
  it.each(wholeRequests)("%s", async (_, refused, status, type) => {
    const kafka = new FakeKafka();
    const answer = await send(refused, kafka);
    expect(answer).toMatchObject({ status, body: { type: `urn:spillway:problem:${type}`, status } });
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.body.detail).not.toBe("");
    expect(kafka.sends).toEqual([]);
  });

  it("names the encodings that are taken", async () => {
    const answer = await send(bytesRequest(STRUCTURED, Buffer.from("{}"), "br"));
    expect(answer.headers["accept-encoding"]).toBe("gzip, identity");
  });
});

const key = (value: unknown): Record<string, unknown> => ({ ...flight, partitionkey: value });

const events: [what: string, event: unknown, status: number, type: string, field: string][] = [
  ["no object", 17, 400, "invalid-envelope", ""],
  ["null", null, 400, "invalid-envelope", ""],
  ["an array", [flight], 400, "invalid-envelope", ""],
  ["wrong specversion", { ...flight, specversion: "0.3" }, 400, "invalid-envelope", "/specversion"],
  ["numeric specversion", { ...flight, specversion: 1 }, 400, "invalid-envelope", "/specversion"],
  ["no specversion", without(flight, "specversion"), 400, "invalid-envelope", "/specversion"],
  ["no id", without(flight, "id"), 400, "invalid-envelope", "/id"],
  ["an empty id", { ...flight, id: "" }, 400, "invalid-envelope", "/id"],
  ["a numeric id", { ...flight, id: 7 }, 400, "invalid-envelope", "/id"],
  ["a null source", { ...flight, source: null }, 400, "invalid-envelope", "/source"],
  ["no type", without(flight, "type"), 400, "invalid-envelope", "/type"],
  ["no time", without(flight, "time"), 400, "invalid-envelope", "/time"],
  ["a time without zone", { ...flight, time: "2001-01-31T23:59:59" }, 400, "invalid-envelope", "/time"],
  ["the 30th of February", { ...flight, time: "2001-02-30T00:00:00Z" }, 400, "invalid-envelope", "/time"],
  ["a time that is a number", { ...flight, time: 980985599000 }, 400, "invalid-envelope", "/time"],
  ["a control character", { ...flight, source: "a\u0000b" }, 400, "invalid-envelope", "/source"],
  ["a lone surrogate", { ...flight, id: "\ud800" }, 400, "invalid-envelope", "/id"],
  ["an attribute name in capitals", { ...flight, Trace: "1" }, 400, "invalid-envelope", "/Trace"],
  ["a prototype", JSON.parse('{"__proto__":{"a":1},"specversion":"1.0"}'), 400, "invalid-envelope", "/id"],
  ["an attribute that is an object", { ...flight, trace: {} }, 400, "invalid-envelope", "/trace"],
  ["an attribute beyond 32 bits", { ...flight, trace: 2 ** 31 }, 400, "invalid-envelope", "/trace"],
  ["a numeric key", key(5), 400, "invalid-envelope", "/partitionkey"],
  ["text data", { ...flight, datacontenttype: "text/xml" }, 415, "unsupported-data-type", "/datacontenttype"],
  ["base64 data", { ...flight, data_base64: "e30=" }, 415, "unsupported-data-type", "/data_base64"],
  ["an unknown type", { ...flight, type: "flight.lost" }, 422, "unknown-type", "/type"],
  ["a type from Object", { ...flight, type: "constructor" }, 422, "unknown-type", "/type"],
  ["no data", without(flight, "data"), 422, "invalid-data", "/data"],
  ["null data", { ...flight, data: null }, 422, "invalid-data", "/data"],
  [
    "a field of the wrong type",
    { ...flight, data: { ...data, delayMin: "12" } },
    422,
    "invalid-data",
    "/data/delayMin",
  ],
  [
    "a missing field",
    { ...flight, data: without(data, "distanceMi") },
    422,
    "invalid-data",
    "/data/distanceMi",
  ],
  ["a time in 2099", { ...flight, time: "2099-01-01T00:00:00Z" }, 422, "time-too-far-ahead", "/time"],
  [
    "a time just beyond the bound",
    { ...flight, time: iso(NOW_MS + DAY_MS + 1) },
    422,
    "time-too-far-ahead",
    "/time",
  ],
  ["no key", without(flight, "partitionkey"), 422, "invalid-key", "/partitionkey"],
  ["an empty key", key(""), 422, "invalid-key", "/partitionkey"],
  ["a key that is not the data's", key("ORD"), 422, "invalid-key", "/partitionkey"],
  ["a key of 10 kB", key("A".repeat(10_000)), 422, "invalid-key", "/partitionkey"],
  ["a key of one byte too many", key("é".repeat(maxKeyBytes / 2 + 1)), 422, "invalid-key", "/partitionkey"],
  [
    "a subject that is not the data's",
    { ...without(flight, "partitionkey"), subject: "ORD" },
    422,
    "invalid-key",
    "/subject",
  ],
  [
    "an event of 2 MB",
    { ...flight, data: { ...data, note: "x".repeat(2_000_000) } },
    413,
    "event-too-large",
    "",
  ],
];

describe("an event refused", () => {
  it.each(events)("%s, alone", async (_, event, status, type, field) => {
    const kafka = new FakeKafka();
    const answer = await send(structured(event), kafka);
    const problem = { type: `urn:spillway:problem:${type}`, status, index: 0, field };
    expect(answer).toMatchObject({ status, body: { ...problem, problems: [problem] } });
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(kafka.sends).toEqual([]);
  });

  it.each(events)("%s, in a batch whose other event goes through", async (_, event, status, type, field) => {
    const kafka = new FakeKafka();
    const answer = await send(batch([event, flight]), kafka);
    expect(answer.status).toBe(202);
    expect(answer.body.accepted).toBe(1);
    const problem = { type: `urn:spillway:problem:${type}`, status, index: 0, field };
    expect(answer.body.results).toMatchObject([
      { index: 0, status: "refused", problem },
      { index: 1, id: "f-1", status: "accepted" },
    ]);
    expect(kafka.events).toEqual([flight]);
  });

  it("names its id, and no value of its data", async () => {
    const secret = "s3cret-value";
    const answer = await send(structured({ ...flight, data: { ...data, origin: secret, delayMin: secret } }));
    expect(answer.body).toMatchObject({ id: "f-1", problems: [{ id: "f-1" }] });
    expect(JSON.stringify(answer.body)).not.toContain(secret);
  });

  it("takes the first problem's status where all are refused", async () => {
    const answer = await send(batch([{ ...flight, type: "x" }, without(flight, "time")]));
    expect(answer).toMatchObject({
      status: 422,
      body: { problems: [{ index: 0 }, { index: 1, status: 400 }] },
    });
  });

  it("leaves out an id that is too long to echo", async () => {
    const answer = await send(structured({ ...flight, id: "i".repeat(2_000), type: "x" }));
    expect(answer.body).toMatchObject({ status: 422, index: 0 });
    expect(answer.body.id).toBeUndefined();
  });

  it("answers within Lambda's 6 MB, whatever is sent", async () => {
    const hostile = { ...flight, id: "\u0001".repeat(256), type: "x", [`~${"/".repeat(100_000)}`]: 1 };
    const names = await send(batch(Array(40).fill(hostile)));
    const ids = await send(
      batch([...Array(999).fill(without(hostile, Object.keys(hostile).at(-1)!)), flight]),
    );
    for (const { body } of [names, ids]) {
      expect(JSON.stringify(JSON.stringify(body)).length).toBeLessThan(6_000_000);
    }
  });

  it("refuses data that is nested more deeply than can be written again", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const event = JSON.stringify({ ...flight, data: { ...data, note: 0 } }).replace(
      '"note":0',
      `"note":${deep}`,
    );
    const answer = await send(batch(`[${event}]`));
    expect(answer).toMatchObject({ status: 422, body: { field: "/data" } });
  });
});

describe("limits", () => {
  const sized = (bytes: number): string => {
    const event = (note: string): string => JSON.stringify({ ...flight, data: { ...data, note } });
    return event("x".repeat(bytes - event("").length));
  };

  it("takes an event of exactly maxEventBytes, and none larger", async () => {
    expect((await send(structured(sized(maxEventBytes)))).status).toBe(202);
    expect((await send(structured(sized(maxEventBytes + 1)))).status).toBe(413);
    expect((await send(batch(`[${sized(maxEventBytes)}]`))).status).toBe(202);
    expect((await send(batch(`[${sized(maxEventBytes + 1)}]`))).status).toBe(413);
  });

  it("takes maxEventsPerRequest events", async () => {
    const answer = await send(batch(Array(maxEventsPerRequest).fill(flight)));
    expect(answer).toMatchObject({ status: 202, body: { accepted: maxEventsPerRequest } });
  });

  it.each(["1970-01-01T00:00:00Z", iso(NOW_MS + DAY_MS), "2001-01-01t00:00:00.123456+02:00"])(
    "takes the time %s",
    async (time) => {
      expect((await send(structured({ ...flight, time }))).status).toBe(202);
    },
  );
});
