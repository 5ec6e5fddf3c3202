import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { HttpRequest } from "../../../lambdas/ingest/body.ts";
import { send } from "../support/door.ts";
import { batch, bytesRequest, flight, structured, without } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const json = Buffer.from(JSON.stringify(flight));

const binary = (headers: Readonly<Record<string, string>>, body: unknown = flight.data): HttpRequest => ({
  headers: {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "f-1",
    "ce-source": "/airlines/test",
    "ce-type": "flight.departed",
    "ce-time": "2001-01-31T23:59:59Z",
    "ce-partitionkey": "ATL",
    ...headers,
  },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});

const requests: [what: string, request: HttpRequest][] = [
  ["structured", structured(flight)],
  [
    "structured with charset",
    { ...structured(flight), headers: { "content-type": 'Application/CloudEvents+JSON; charset="UTF-8"' } },
  ],
  ["structured in base64", bytesRequest("application/cloudevents+json", json)],
  ["structured in gzip", bytesRequest("application/cloudevents+json", gzipSync(json), "gzip")],
  ["batch", batch([flight])],
  ["batch in gzip", bytesRequest("application/cloudevents-batch+json", gzipSync(`[${json}]`), "GZIP")],
  ["binary", binary({})],
  ["binary with charset", binary({ "content-type": "application/json; charset=utf-8" })],
];

describe("content modes", () => {
  it.each(requests)("takes %s", async (_, request) => {
    const kafka = new FakeKafka();
    const answer = await send(request, kafka);
    expect(answer).toEqual({
      status: 202,
      headers: { "content-type": "application/json", backpressure: "0.00" },
      body: { accepted: 1, results: [{ index: 0, id: "f-1", status: "accepted" }] },
    });
    expect(kafka.messages).toMatchObject([{ topic: "flights", message: { key: Buffer.from("ATL") } }]);
    expect(without(kafka.events[0]!, "datacontenttype")).toEqual(without(flight, "datacontenttype"));
  });

  it("writes a structured event's own bytes", async () => {
    const kafka = new FakeKafka();
    const text = JSON.stringify({ ...flight, bignumber: "1" }, undefined, 3);
    await send(structured(text), kafka);
    expect(String(kafka.messages[0]!.message.value)).toBe(text);
  });

  it("passes on fields of data that the schema does not name, and the schema that the producer names", async () => {
    const kafka = new FakeKafka();
    const data = { ...(flight.data as object), gate: "B7", crew: [{ role: "captain" }] };
    const event = { ...flight, dataschema: "urn:spillway:schema:flight.departed:2", data };
    const { status } = await send(batch([event]), kafka);
    expect(status).toBe(202);
    expect(kafka.events).toEqual([event]);
  });

  it("marks the message as a structured CloudEvent", async () => {
    const kafka = new FakeKafka();
    await send(batch([flight]), kafka);
    expect(kafka.messages[0]!.message.headers).toEqual({
      "content-type": "application/cloudevents+json; charset=UTF-8",
      "spillway-producer": "test",
    });
  });

  it("keeps unknown extension attributes", async () => {
    const kafka = new FakeKafka();
    const event = { ...flight, traceparent: "00-ab-cd-01", sampled: true, hops: 3 };
    await send(batch([event]), kafka);
    expect(kafka.events).toEqual([event]);
  });

  it("takes the subject as key where there is no partition key", async () => {
    const kafka = new FakeKafka();
    await send(structured({ ...without(flight, "partitionkey"), subject: "ATL" }), kafka);
    expect(kafka.messages[0]!.message.key).toEqual(Buffer.from("ATL"));
  });

  it("reads null attributes as absent", async () => {
    const event = { ...flight, partitionkey: null, subject: "ATL", dataschema: null };
    expect((await send(structured(event))).status).toBe(202);
  });

  it("accepts an empty batch", async () => {
    expect(await send(batch([]))).toMatchObject({ status: 202, body: { accepted: 0, results: [] } });
  });

  it("accepts duplicates, which pipelines drop", async () => {
    expect(await send(batch([flight, flight]))).toMatchObject({ status: 202, body: { accepted: 2 } });
  });
});

describe("binary mode", () => {
  it.each([
    ["percent-encoded", "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["quoted, with escapes", '"a \\"b\\" c"', 'a "b" c'],
    ["decoded only once", "50%2525", "50%25"],
  ])("decodes a header value that is %s", async (_, header, value) => {
    const kafka = new FakeKafka();
    await send(binary({ "ce-source": header }), kafka);
    expect(kafka.events[0]!.source).toBe(value);
  });

  it.each(["50%", "%FF", "%zz"])("refuses the header value %s", async (header) => {
    const answer = await send(binary({ "ce-source": header }));
    expect(answer).toMatchObject({ status: 400, body: { field: "/source" } });
  });

  it("takes JSON where no content type says otherwise", async () => {
    const request = binary({});
    const headers = without(request.headers, "content-type") as HttpRequest["headers"];
    expect((await send({ ...request, headers })).status).toBe(202);
  });

  it("does not let a header stand in for the body", async () => {
    const kafka = new FakeKafka();
    await send(binary({ "ce-data": "x", "ce-datacontenttype": "text/plain" }), kafka);
    expect(kafka.events[0]).toMatchObject({ data: flight.data, datacontenttype: "application/json" });
  });

  it.each(["text/xml", "application/octet-stream"])("refuses data of type %s", async (type) => {
    expect((await send(binary({ "content-type": type }))).status).toBe(415);
  });
});
