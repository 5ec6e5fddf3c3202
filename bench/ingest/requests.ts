/** The requests that the ingest benchmark sends: batches of flights as HTTP API hands them to a function. */
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { BATCH_MEDIA_TYPE } from "../../contracts/cloudevent.ts";

export const EVENTS_PER_REQUEST = 500;
/** More than any cache of the processor holds of one of them, few enough that making them is no part of the bench. */
const DISTINCT_REQUESTS = 40;
const AIRPORTS = ["ATL", "ORD", "DFW", "LAX", "PHX", "DEN", "IAH", "MSP", "DTW", "SFO"];
const MINUTE_MS = 60_000;
/** A quarter more than the thousands of events that one request holds have in common: any prime spreads them out. */
const STEP = 7_919;

/** A batch whose bytes do not differ from run to run. HTTP API encodes what is not text or plain JSON in base64. */
export const requests: readonly APIGatewayProxyEventV2[] = Array.from(
  { length: DISTINCT_REQUESTS },
  (_, request) => requestOf(request * EVENTS_PER_REQUEST),
);

function requestOf(first: number): APIGatewayProxyEventV2 {
  const events = Array.from({ length: EVENTS_PER_REQUEST }, (_, index) => flight(first + index));
  return {
    version: "2.0",
    routeKey: "POST /events",
    rawPath: "/events",
    rawQueryString: "",
    headers: { "content-type": BATCH_MEDIA_TYPE },
    requestContext: { http: { method: "POST", path: "/events" } },
    body: Buffer.from(JSON.stringify(events)).toString("base64"),
    isBase64Encoded: true,
  } as unknown as APIGatewayProxyEventV2;
}

function flight(index: number): object {
  const spread = index * STEP;
  const origin = AIRPORTS[spread % AIRPORTS.length]!;
  return {
    specversion: "1.0",
    id: `flight-${index}`,
    source: "/bench/ingest",
    type: "flight.departed",
    time: new Date(Date.UTC(2001, 0, 1) + (spread % 40_000) * MINUTE_MS).toISOString(),
    subject: origin,
    data: {
      origin,
      destination: AIRPORTS[(spread + 3) % AIRPORTS.length],
      delayMin: (spread % 90) - 10,
      distanceMi: 100 + (spread % 2_000),
    },
  };
}
