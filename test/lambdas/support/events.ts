/** Events and requests that the door takes; tests change one thing at a time. */
import type { HttpRequest } from "../../../lambdas/ingest/body.ts";

/** When the tests' requests arrive. */
export const NOW_MS = Date.UTC(2026, 0, 31, 12);

export type TestEvent = Readonly<Record<string, unknown>>;

export const flight: TestEvent = {
  specversion: "1.0",
  id: "f-1",
  source: "/airlines/test",
  type: "flight.departed",
  time: "2001-01-31T23:59:59Z",
  partitionkey: "ATL",
  datacontenttype: "application/json",
  data: { origin: "ATL", destination: "ORD", delayMin: 12, distanceMi: 606 },
};

export const structured = (event: unknown): HttpRequest => request("application/cloudevents+json", event);

export const batch = (events: unknown): HttpRequest => request("application/cloudevents-batch+json", events);

export function request(contentType: string, body: unknown): HttpRequest {
  return {
    headers: { "content-type": contentType },
    body: typeof body === "string" ? body : JSON.stringify(body),
    isBase64Encoded: false,
  };
}

/** The same request with its body as bytes, which API Gateway hands over in base64. */
export function bytesRequest(contentType: string, bytes: Buffer, encoding?: string): HttpRequest {
  return {
    headers: { "content-type": contentType, ...(encoding !== undefined && { "content-encoding": encoding }) },
    body: bytes.toString("base64"),
    isBase64Encoded: true,
  };
}

/** JSON.stringify without these members. */
export function without(event: TestEvent, ...names: string[]): TestEvent {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !names.includes(name)));
}
