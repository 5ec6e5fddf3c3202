/**
 * Frauds, and what is known of them. Somebody logs in to a user's account from a new device and pays, while the user's
 * own phone is too far from there for anybody to have travelled. Some have a part missing, or come apart in time.
 */
import { locationReported, loginSucceeded, paymentMade } from "../../contracts/events/catalogue.ts";
import type { Random } from "../chaos/random.ts";
import { login, payment, report } from "./activities.ts";
import { scatteredRoute } from "./delivery.ts";
import { farFrom, homeOf, near } from "./places.ts";
import { type Happening, happening, type Truth, type Visit } from "./traffic.ts";
import { userId } from "./users.ts";

const PARTS = [loginSucceeded.type, paymentMade.type, locationReported.type] as const;
type Part = (typeof PARTS)[number];

/** What fraud-signals looks across, and what part of it a fraud takes at most: it is never a matter of the edge. */
const WITHIN_MS = 10 * 60_000;
const LONGEST_MS = WITHIN_MS - 30_000;
const SHORTEST_MS = 5_000;
/** How long one part of a fraud that comes apart is from both others. */
const APART_MS = [WITHIN_MS + 30_000, 2 * WITHIN_MS] as const;

/** How frauds come: most with all three parts within ten minutes, which alone make a signal. */
const SHAPES = {
  complete: 0.6,
  [loginSucceeded.type]: 0.1,
  [paymentMade.type]: 0.1,
  [locationReported.type]: 0.1,
  apart: 0.1,
} as const;
type Shape = keyof typeof SHAPES;

interface Fraud {
  readonly userId: string;
  readonly apart: boolean;
  /** When each part happens. */
  readonly timesMs: ReadonlyMap<Part, number>;
  /** The ids of the parts that were delivered, in order of arrival. */
  readonly delivered: Map<Part, string>;
}

export class Frauds {
  readonly #frauds: Fraud[] = [];

  /** A fraud that begins at `startMs`. */
  visit(random: Random, user: number, startMs: number): Visit {
    const shape = random.weighted<Shape>(SHAPES);
    const timesMs = partTimes(random, shape, startMs);
    const fraud = { userId: userId(user), apart: shape === "apart", timesMs, delivered: new Map() };
    this.#frauds.push(fraud);
    const parts = [...timesMs].map(
      ([part, timeMs]): Happening => ({
        ...happeningOf(random, part, user, timeMs),
        delivered: (id) => fraud.delivered.set(part, id),
      }),
    );
    return parts.toSorted((a, b) => a.timeMs - b.timeMs) as [Happening, ...Happening[]];
  }

  /** A line for each fraud of which anything was delivered. */
  truth(): readonly Truth[] {
    return this.#frauds.filter(({ delivered }) => delivered.size > 0).map(toTruth);
  }
}

/** A time for each part that is there; the first is at `startMs`, whichever part it is. */
function partTimes(random: Random, shape: Shape, startMs: number): ReadonlyMap<Part, number> {
  const spanMs = Math.floor(SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** random.next());
  const offsetsMs = [0, random.between(1, spanMs - 1), spanMs];
  if (shape === "apart") offsetsMs[2] = spanMs + random.between(...APART_MS);
  const present = PARTS.filter((part) => part !== shape);
  const order = shuffled(random, present);
  return new Map(order.map((part, index) => [part, startMs + offsetsMs[index]!]));
}

function happeningOf(random: Random, part: Part, user: number, timeMs: number): Happening {
  const [id, home, route] = [userId(user), homeOf(user), scatteredRoute(random)];
  switch (part) {
    case "login.succeeded":
      return login(random, user, timeMs, route, { newDevice: true, place: farFrom(random, home) });
    case "payment.made":
      return happening(paymentMade, timeMs, route, payment(random, id));
    case "location.reported":
      return report(random, timeMs, route, id, near(random, home));
  }
}

/** `parts` has the ids that were delivered; the stream's end may have cut a fraud short, and then it is no signal. */
function toTruth({ userId, apart, timesMs, delivered }: Fraud): Truth {
  const timesDelivered = [...delivered.keys()].map((part) => timesMs.get(part)!);
  return {
    kind: "fraud",
    userId,
    signal: !apart && delivered.size === PARTS.length,
    apart,
    missing: PARTS.filter((part) => !delivered.has(part)),
    parts: Object.fromEntries(delivered),
    firstMs: Math.min(...timesDelivered),
    lastMs: Math.max(...timesDelivered),
  };
}

/** The items in an order of which each is as likely (Fisher and Yates). */
function shuffled<Item>(random: Random, items: readonly Item[]): readonly Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.between(0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
