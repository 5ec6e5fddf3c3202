/** Readings of devices, each with the address that it was sent from: what is known of addresses is asked of a service. */
import { telemetryReported } from "../../contracts/events/catalogue.ts";
import type { Random } from "../chaos/random.ts";
import { mobileRoute, serverRoute } from "./delivery.ts";
import { exponential, normal, Zipf } from "./distributions.ts";
import {
  dataOf,
  type GenerateOptions,
  type Happening,
  happening,
  type Stream,
  type Visit,
} from "./traffic.ts";
import { HOT_USER_ID, userId } from "./users.ts";
import { visitsOfUsers } from "./visits.ts";

/** A device is switched on twice a day, for twenty minutes on average, and reports once a minute. */
const RUNS_PER_DEVICE_AND_DAY = 2;
const RUN_MEAN_MS = 20 * 60_000;
const REPORT_EVERY_MS = 60_000;

/** Devices behind one household's address. */
const DEVICES_PER_HOUSEHOLD = 3;
/** Devices on the road report through a carrier's gateways, of which a few carry most: Zipf with exponent 1. */
const MOBILE_SHARE = 0.3;
const GATEWAYS = 200;
const gateways = new Zipf(GATEWAYS, 1);

const MEAN_TEMPERATURE_C = 24;
const TEMPERATURE_SIGMA_C = 0.4;
const BATTERY_PER_REPORT = 0.003;

export const deviceTelemetry = (): Stream => ({
  name: "device-telemetry",
  visits,
  hotHappening: (random, timeMs) => ({
    timeMs,
    ...dataOf(telemetryReported, {
      deviceId: HOT_USER_ID,
      ip: addressOf(0),
      temperatureC: rounded(MEAN_TEMPERATURE_C + TEMPERATURE_SIGMA_C * normal(random), 1),
      batteryShare: 1,
    }),
  }),
  truth: () => [],
});

const visits = (options: GenerateOptions): Generator<Visit, never> =>
  visitsOfUsers(options, { visitsPerUserAndDay: RUNS_PER_DEVICE_AND_DAY, quietMs: 0 }, run);

/** From when a device is switched on until it is off: it warms up or cools down, and its battery runs down. */
function run(random: Random, device: number, startMs: number): Visit {
  const isMobile = random.next() < MOBILE_SHARE;
  const route = isMobile ? mobileRoute(random) : serverRoute(random);
  const ip = isMobile
    ? addressOf(1 + gateways.sample(random))
    : addressOf(1 + GATEWAYS + Math.floor(device / DEVICES_PER_HOUSEHOLD));
  let temperatureC = MEAN_TEMPERATURE_C + 5 * normal(random);
  let batteryShare = 0.3 + 0.7 * random.next();
  const reading = (timeMs: number): Happening => {
    temperatureC += TEMPERATURE_SIGMA_C * normal(random);
    batteryShare = Math.max(0, batteryShare - BATTERY_PER_REPORT);
    return happening(telemetryReported, timeMs, route, {
      deviceId: userId(device),
      ip,
      temperatureC: rounded(temperatureC, 1),
      batteryShare: rounded(batteryShare, 3),
    });
  };
  const readings: [Happening, ...Happening[]] = [reading(startMs)];
  const endMs = startMs + exponential(random, RUN_MEAN_MS);
  for (let timeMs = startMs + REPORT_EVERY_MS; timeMs < endMs; timeMs += REPORT_EVERY_MS) {
    readings.push(reading(timeMs + random.between(0, REPORT_EVERY_MS / 20)));
  }
  return readings;
}

/** Of 198.18.0.0/15, which is nobody's: it is for measurements of networks (RFC 2544). */
const addressOf = (index: number): string =>
  `198.${18 + ((index >> 16) & 1)}.${(index >> 8) & 255}.${index & 255}`;

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
