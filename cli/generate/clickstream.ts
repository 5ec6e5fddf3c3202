/** Page views: sessions of anybody's length, read at a reader's pace, from desktops and from phones. */
import { type DataOf, pageViewed } from "../../contracts/events/catalogue.ts";
import type { Random } from "../chaos/random.ts";
import { mobileRoute, serverRoute } from "./delivery.ts";
import { inverseGaussian, logNormal, Zipf } from "./distributions.ts";
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

type PageView = DataOf<typeof pageViewed>;

const SESSIONS_PER_USER_AND_DAY = 2;

/**
 * Page views of a session: inverse Gaussian, rounded up, the law of surfing (Huberman, Pirolli, Pitkow and Lukose,
 * Science 280, 1998). Most are short, and a few are very long.
 */
const MEAN_VIEWS = 5;
const VIEWS_SHAPE = 2;

/** What passes between two page views of a session: log-normal. One in 3,500 outlasts half an hour. */
const THINK_TIME_MEDIAN_MS = 20_000;
const THINK_TIME_SIGMA = 1.3;

const DEVICES = { mobile: 0.6, desktop: 0.35, tablet: 0.05 } as const satisfies Record<
  PageView["device"],
  number
>;
const REFERRED_SHARE = 0.4;
const REFERRERS = ["search.example", "social.example", "news.example", "mail.example"];

/** How popular pages are: a Zipf exponent from 0.64 to 0.83 (Breslau et al., INFOCOM 1999). */
const PAGES = 500;
const PAGES_EXPONENT = 0.75;
const pages = new Zipf(PAGES, PAGES_EXPONENT);

export const clickstream = (): Stream => ({
  name: "clickstream",
  visits,
  hotHappening: (random, timeMs) => ({
    timeMs,
    ...dataOf(pageViewed, { userId: HOT_USER_ID, path: pathOf(random), device: "desktop" }),
  }),
  truth: () => [],
});

const visits = (options: GenerateOptions): Generator<Visit, never> =>
  visitsOfUsers(options, { visitsPerUserAndDay: SESSIONS_PER_USER_AND_DAY, quietMs: 0 }, session);

function session(random: Random, user: number, startMs: number): Visit {
  const device = random.weighted(DEVICES);
  const route = device === "desktop" ? serverRoute(random) : mobileRoute(random);
  const id = userId(user);
  const referred = random.next() < REFERRED_SHARE ? { referrerHost: random.pick(REFERRERS) } : {};
  const landing = { userId: id, path: pathOf(random), ...referred, device };
  const views: [Happening, ...Happening[]] = [happening(pageViewed, startMs, route, landing)];
  const count = Math.ceil(inverseGaussian(random, MEAN_VIEWS, VIEWS_SHAPE));
  for (let timeMs = startMs; views.length < count; ) {
    timeMs += Math.ceil(logNormal(random, THINK_TIME_MEDIAN_MS, THINK_TIME_SIGMA));
    views.push(happening(pageViewed, timeMs, route, { userId: id, path: pathOf(random), device }));
  }
  return views;
}

function pathOf(random: Random): string {
  const page = pages.sample(random);
  return page === 0 ? "/" : `/articles/${page}`;
}
