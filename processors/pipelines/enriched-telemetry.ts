/**
 * How each device was in a minute, and where: a service knows the country of an address. It takes 500 requests a second
 * and readings come faster, so answers are kept, one request asks about many addresses, and while the service is away or
 * too much waits, readings go on without a place: `degraded` counts them.
 */
import { serviceUrlVariable } from "../../contracts/environment.ts";
import { telemetryReported } from "../../contracts/events/catalogue.ts";
import {
  count,
  events,
  HOUR_MS,
  last,
  MINUTE_MS,
  max,
  mean,
  min,
  pipeline,
  TryLaterError,
  Type,
  tumbling,
} from "../engine/pipeline/dsl.ts";

const GEOLOCATION = "geolocation";

/** What the service says of an address; null where it does not know it. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly city: string;
}

/**
 * `POST /locations {"ips": […]}` is answered with `{"locations": […]}`, a place or null for each address.
 * @throws TryLaterError where it answers 429 or 503 with `Retry-After`
 */
async function locate(ips: readonly string[], signal: AbortSignal): Promise<readonly (Place | null)[]> {
  const variable = serviceUrlVariable(GEOLOCATION);
  const url = process.env[variable];
  if (url === undefined) throw new Error(`${variable} is not set: lib/config states the service's URL`);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ips });
  const response = await fetch(`${url}/locations`, { method: "POST", headers, body, signal });
  if (response.ok) return ((await response.json()) as { locations: (Place | null)[] }).locations;
  // Else its connection could not be used again.
  await response.body?.cancel();
  const retryAfterS = response.headers.get("retry-after");
  if (retryAfterS !== null) throw new TryLaterError(Number(retryAfterS) * 1_000);
  throw new Error(`the service answered ${response.status}`);
}

export const enrichedTelemetry = pipeline("enriched-telemetry")
  .from(events(telemetryReported), { outOfOrderMs: 2 * MINUTE_MS })
  .enrich({
    service: GEOLOCATION,
    question: ({ data }) => data.ip,
    askMany: (ips, { signal }) => locate(ips, signal),
    maxQuestionsPerCall: 50,
    maxRequestsPerSecond: 500,
    // An address seldom moves to another country; 50,000 answers are some 10 MB.
    cache: { ttlMs: 6 * HOUR_MS, maxEntries: 50_000 },
    optional: true,
    combine: (reading, place) => ({ ...reading.data, country: place?.country ?? null }),
  })
  .keyBy((reading) => reading.deviceId)
  .window(tumbling({ sizeMs: MINUTE_MS }))
  .aggregate({
    readings: count(),
    meanTemperatureC: mean((reading) => reading.temperatureC),
    maxTemperatureC: max((reading) => reading.temperatureC),
    minBatteryShare: min((reading) => reading.batteryShare),
    country: last((reading) => reading.country),
    degraded: count((reading) => reading.degraded === true),
  })
  .schema(
    Type.Object({
      readings: Type.Integer(),
      meanTemperatureC: Type.Union([Type.Number(), Type.Null()]),
      maxTemperatureC: Type.Union([Type.Number(), Type.Null()]),
      minBatteryShare: Type.Union([Type.Number(), Type.Null()]),
      country: Type.Union([Type.String(), Type.Null()], {
        description: "of the last reading, where it is known",
      }),
      degraded: Type.Integer({ description: "readings whose place was not asked for" }),
    }),
  )
  .toResults();
