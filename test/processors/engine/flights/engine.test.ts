/**
 * The engine against DuckDB on real flights: every number of every window, and every late flight. Tests take the first
 * 150,000 in order of arrival; `npm run flights` takes all 3,000,000, and then the counts are known too.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLIGHTS_IN_FILE } from "../../../../cli/flights/flights.ts";
import {
  HOUR_MS,
  hopping,
  MINUTE_MS,
  session,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { compare, flightsPipeline } from "./engine-run.ts";
import { fixedWindows } from "./fixed-windows.ts";
import { closeFlightsLog, type FlightsLog, openFlightsLog } from "./flights-log.ts";
import { sessionWindows } from "./session-windows.ts";

const PARTITIONS = 4;
const FLIGHTS = process.env.SPILLWAY_TEST_FLIGHTS === "all" ? FLIGHTS_IN_FILE : 150_000;
/** Three million flights through four tasks and twelve recoveries. */
const TIMEOUT_MS = 300_000;

describe("by origin", () => {
  let log: FlightsLog;
  beforeAll(async () => {
    log = await openFlightsLog({ key: "origin", partitions: PARTITIONS, flights: FLIGHTS });
  });
  afterAll(() => closeFlightsLog(log));

  test.each([
    { sizeMs: HOUR_MS, advanceMs: HOUR_MS, outOfOrderMs: HOUR_MS, windows: 415_739, late: 140_681 },
    { sizeMs: HOUR_MS, advanceMs: 15 * MINUTE_MS, outOfOrderMs: HOUR_MS, windows: 1_656_249, late: 75_763 },
    { sizeMs: 24 * HOUR_MS, advanceMs: 6 * HOUR_MS, outOfOrderMs: HOUR_MS, windows: 160_151, late: 35 },
  ])(
    "windows of $sizeMs every $advanceMs, bound $outOfOrderMs",
    async ({ windows, late, ...shape }) => {
      const { sizeMs, advanceMs, outOfOrderMs } = shape;
      const window = sizeMs === advanceMs ? tumbling({ sizeMs }) : hopping({ sizeMs, advanceMs });
      const expected = await fixedWindows(log, shape);

      const { lateInEngine, ...compared } = await compare(
        log,
        PARTITIONS,
        flightsPipeline(window, outOfOrderMs),
        expected,
      );

      expect(compared).toMatchObject({ differing: 0, examples: [] });
      expect(compared.windows).toBeGreaterThan(1_000);
      if (FLIGHTS === FLIGHTS_IN_FILE) expect(compared).toMatchObject({ windows, late });
      expect(lateInEngine).toEqual(await expected.late());
    },
    TIMEOUT_MS,
  );
});

describe("by route", () => {
  let log: FlightsLog;
  beforeAll(async () => {
    log = await openFlightsLog({ key: "route", partitions: PARTITIONS, flights: FLIGHTS });
  });
  afterAll(() => closeFlightsLog(log));

  const gapMs = 3 * HOUR_MS;
  test.each([
    { outOfOrderMs: HOUR_MS, dedupe: false, windows: 1_196_706, late: 9_645 },
    // With dedupe a flight more than a gap behind the watermark is late, even if a session that it would join is open.
    { outOfOrderMs: HOUR_MS, dedupe: undefined, horizonMs: gapMs, windows: 1_196_706, late: 11_850 },
    // The longest delay is less than 27 hours: nothing is late.
    { outOfOrderMs: 30 * HOUR_MS, dedupe: undefined, horizonMs: gapMs, windows: 1_181_590, late: 0 },
  ] as const)(
    "sessions with gap 3 h, bound $outOfOrderMs, dedupe $dedupe",
    async (each) => {
      const { windows, late, dedupe, ...shape } = each;
      const expected = await sessionWindows(log, { gapMs, ...shape });

      const definition = flightsPipeline(session({ gapMs }), shape.outOfOrderMs, dedupe);
      const { lateInEngine, ...compared } = await compare(log, PARTITIONS, definition, expected);

      expect(compared).toMatchObject({ differing: 0, examples: [] });
      expect(compared.windows).toBeGreaterThan(1_000);
      if (FLIGHTS === FLIGHTS_IN_FILE) expect(compared).toMatchObject({ windows, late });
      expect(lateInEngine).toEqual(await expected.late());
    },
    TIMEOUT_MS,
  );
});
