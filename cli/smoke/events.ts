/** Events of one user who does not exist, which the pipeline fraud-signals makes one result of. */
import type { CloudEvent } from "../../contracts/cloudevent.ts";
import { locationReported, loginSucceeded, paymentMade } from "../../contracts/events/catalogue.ts";

export const PIPELINE = "fraud-signals";

/**
 * A correlation takes events once its watermark is past them: two minutes behind the newest of their partition. So three
 * are a little older than that, and a fourth, of now, moves the watermark where nobody else sends anything.
 */
const PARTS_BEFORE_MS = 3 * 60_000;

export interface SmokeEvents {
  readonly userId: string;
  readonly loginId: string;
  readonly events: readonly CloudEvent[];
}

/**
 * A login in New York from a new device, a payment, and the phone in London, twice. None is ahead of the clock, and their key
 * is their own, so that they make nobody's events late and change nobody's results.
 * @param runId says which run of the smoke test it was, in all names
 */
export function smokeEvents(runId: string, nowMs: number): SmokeEvents {
  const userId = `smoke-${runId}`;
  const of = (type: string, name: string, timeMs: number, data: object): CloudEvent => ({
    specversion: "1.0",
    id: `${runId}-${name}`,
    source: "urn:spillway:smoke",
    type,
    time: new Date(timeMs).toISOString(),
    partitionkey: userId,
    data: { userId, ...data },
  });
  const partsMs = nowMs - PARTS_BEFORE_MS;
  const phone = { latitude: 51.5, longitude: -0.1, accuracyM: 10 };
  const login = of(loginSucceeded.type, "login", partsMs, {
    deviceId: "smoke",
    newDevice: true,
    method: "password",
    place: { latitude: 40.7, longitude: -74 },
  });
  const events = [
    login,
    of(paymentMade.type, "payment", partsMs, { amountMinor: 1, currency: "EUR", merchantId: "smoke" }),
    of(locationReported.type, "location", partsMs, phone),
    of(locationReported.type, "location-now", nowMs, phone),
  ];
  return { userId, loginId: login.id, events };
}
