/**
 * Payments that a stranger may have made: a login from a device that the user never had, a payment, and the user's own
 * phone too far from where the login came from for anybody to have travelled, all within ten minutes.
 */
import { locationReported, loginSucceeded, paymentMade } from "../../contracts/events/catalogue.ts";
import { events, MINUTE_MS, pipeline, Type } from "../engine/pipeline/dsl.ts";

const WITHIN_MS = 10 * MINUTE_MS;

/** Three times as fast as an airliner, with room for the error of a place that is known by an IP address. */
const TOO_FAR_KM = 500;

const EARTH_RADIUS_KM = 6_371;

interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const { amountMinor, currency, merchantId } = paymentMade.data.properties;

export const fraudSignals = pipeline("fraud-signals")
  .from(events(loginSucceeded, paymentMade, locationReported), { outOfOrderMs: 2 * MINUTE_MS })
  .keyBy((event) => event.data.userId)
  .correlate({
    withinMs: WITHIN_MS,
    all: { login: loginSucceeded, payment: paymentMade, location: locationReported },
    where: ({ login, location }) =>
      login.data.newDevice && distanceKm(login.data.place, location.data) >= TOO_FAR_KM,
    // Hardly a visit has all three: what misses one is no signal of anything.
    onMissing: "drop",
    combine: ({ parts: { login, payment, location } }) => ({
      loginId: login!.id,
      deviceId: login!.data.deviceId,
      paymentId: payment!.id,
      amountMinor: payment!.data.amountMinor,
      currency: payment!.data.currency,
      merchantId: payment!.data.merchantId,
      locationId: location!.id,
      distanceKm: Math.round(distanceKm(login!.data.place, location!.data)),
    }),
  })
  .schema(
    Type.Object({
      loginId: Type.String(),
      deviceId: Type.String(),
      paymentId: Type.String(),
      amountMinor,
      currency,
      merchantId,
      locationId: Type.String(),
      distanceKm: Type.Integer({ description: "between where the login and the phone were" }),
    }),
  )
  .toResults({ notify: true });

/** Great-circle distance, by the haversine formula; 0 where a place is not known. */
function distanceKm(from: Place | undefined, to: Place): number {
  if (from === undefined) return 0;
  const [fromLatitude, toLatitude] = [radians(from.latitude), radians(to.latitude)];
  const h =
    Math.sin((toLatitude - fromLatitude) / 2) ** 2 +
    Math.cos(fromLatitude) * Math.cos(toLatitude) * Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(h));
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
