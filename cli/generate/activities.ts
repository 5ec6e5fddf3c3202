/** What users do: each is an event of the topic user-activity. */
import {
  type DataOf,
  locationReported,
  loginSucceeded,
  type paymentMade,
} from "../../contracts/events/catalogue.ts";
import type { Random } from "../chaos/random.ts";
import type { Route } from "./delivery.ts";
import { logNormal } from "./distributions.ts";
import type { Place } from "./places.ts";
import { type Happening, happening } from "./traffic.ts";
import { userId } from "./users.ts";

const METHODS = { password: 0.5, passkey: 0.3, sso: 0.2 } as const satisfies Record<
  DataOf<typeof loginSucceeded>["method"],
  number
>;

const AMOUNT_MEDIAN_MINOR = 2_500;
const AMOUNT_SIGMA = 1.1;
const MERCHANTS = 300;
const CURRENCIES = ["EUR", "USD", "GBP"];

/** What is known of a login. */
export interface Circumstances {
  readonly newDevice: boolean;
  readonly place?: Place;
}

export function login(
  random: Random,
  user: number,
  timeMs: number,
  route: Route,
  { newDevice, place }: Circumstances,
): Happening {
  const device = newDevice ? `new-${random.between(1, 1_000_000)}` : String(random.between(1, 2));
  const circumstances = { newDevice, method: random.weighted(METHODS), ...(place && { place }) };
  const data = { userId: userId(user), deviceId: `${userId(user)}-device-${device}`, ...circumstances };
  return happening(loginSucceeded, timeMs, route, data);
}

export const payment = (random: Random, id: string): DataOf<typeof paymentMade> => ({
  userId: id,
  amountMinor: Math.ceil(logNormal(random, AMOUNT_MEDIAN_MINOR, AMOUNT_SIGMA)),
  currency: random.pick(CURRENCIES),
  merchantId: `merchant-${random.between(1, MERCHANTS)}`,
});

export const report = (random: Random, timeMs: number, route: Route, id: string, place: Place): Happening =>
  happening(locationReported, timeMs, route, { userId: id, ...place, accuracyM: random.between(5, 100) });
