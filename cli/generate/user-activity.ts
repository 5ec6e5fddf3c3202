/** Logins, payments and reported places: ordinary visits, and now and then a fraud. */
import { paymentMade } from "../../contracts/events/catalogue.ts";
import type { Random } from "../chaos/random.ts";
import { type Circumstances, login, payment, report } from "./activities.ts";
import { mobileRoute, serverRoute } from "./delivery.ts";
import { exponential, logNormal } from "./distributions.ts";
import { Frauds } from "./frauds.ts";
import { farFrom, homeOf, near, type Place } from "./places.ts";
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

const VISITS_PER_USER_AND_DAY = 2;
const FRAUD_SHARE = 0.005;

/** From a visit's end to the same user's next: more than fraud-signals looks across, so that no two visits mix. */
const QUIET_MS = 20 * 60_000;

/** A login from a device that is new, yet at home. */
const NEW_DEVICE_SHARE = 0.02;
/** A login from far away, yet from a known device: a private network's exit. Never both, that is for frauds. */
const FAR_SHARE = 0.03;
const UNKNOWN_PLACE_SHARE = 0.05;

/** Share of the visits in which the user's phone says where it is, and how often it does. */
const PHONE_SHARE = 0.6;
const REPORT_EVERY_MS = 2 * 60_000;
const VISIT_MEAN_MS = 6 * 60_000;
const PAYMENT_SHARE = 0.5;
const PAYMENT_AFTER_MEDIAN_MS = 90_000;
const PAYMENT_AFTER_SIGMA = 1;

export function userActivity(): Stream {
  const frauds = new Frauds();
  return {
    name: "user-activity",
    visits: (options) => visits(options, frauds),
    hotHappening: (random, timeMs) => ({
      timeMs,
      ...dataOf(paymentMade, payment(random, HOT_USER_ID)),
    }),
    truth: () => frauds.truth(),
  };
}

function visits(options: GenerateOptions, frauds: Frauds): Generator<Visit, never> {
  const habits = { visitsPerUserAndDay: VISITS_PER_USER_AND_DAY, quietMs: QUIET_MS };
  return visitsOfUsers(options, habits, (random, user, startMs) =>
    random.next() < FRAUD_SHARE ? frauds.visit(random, user, startMs) : ordinaryVisit(random, user, startMs),
  );
}

/** A login, perhaps a payment, and the places that the user's phone reports meanwhile. */
function ordinaryVisit(random: Random, user: number, startMs: number): Visit {
  const [id, server, home] = [userId(user), serverRoute(random), homeOf(user)];
  const rest: Happening[] = [];
  if (random.next() < PAYMENT_SHARE) {
    const afterMs = Math.ceil(logNormal(random, PAYMENT_AFTER_MEDIAN_MS, PAYMENT_AFTER_SIGMA));
    rest.push(happening(paymentMade, startMs + afterMs, server, payment(random, id)));
  }
  if (random.next() < PHONE_SHARE) {
    const endMs = startMs + exponential(random, VISIT_MEAN_MS);
    const phone = mobileRoute(random);
    for (
      let timeMs = startMs + random.between(1, REPORT_EVERY_MS);
      timeMs < endMs;
      timeMs += REPORT_EVERY_MS
    ) {
      rest.push(report(random, timeMs, phone, id, near(random, home)));
    }
  }
  rest.sort((a, b) => a.timeMs - b.timeMs);
  return [login(random, user, startMs, server, loginCircumstances(random, home)), ...rest];
}

function loginCircumstances(random: Random, home: Place): Circumstances {
  if (random.next() < UNKNOWN_PLACE_SHARE) return { newDevice: random.next() < NEW_DEVICE_SHARE };
  if (random.next() < FAR_SHARE) return { newDevice: false, place: farFrom(random, home) };
  return { newDevice: random.next() < NEW_DEVICE_SHARE, place: near(random, home) };
}
