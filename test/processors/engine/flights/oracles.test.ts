/** The oracles' SQL against plain loops over a log that do what the rules say, flight by flight. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../../../contracts/partitioning.ts";
import { type FixedWindows, fixedWindows } from "./fixed-windows.ts";
import {
  closeFlightsLog,
  type Expected,
  emptyDatabase,
  type FlightsLog,
  type FlightWindow,
  type LoggedFlight,
  NEVER_LATE_MS,
  openFlightsLog,
  readLog,
} from "./flights-log.ts";
import { type SessionWindows, sessionWindows } from "./session-windows.ts";

const HOUR_MS = 3_600_000;
/** Each log has a database of its own. */
const TIMEOUT_MS = 120_000;

interface Answer {
  readonly windows: readonly FlightWindow[];
  readonly late: readonly number[];
}

/** Small numbers meet each other's edges often; some are before 1970. */
const logs = fc.array(
  fc.record({
    key: fc.constantFrom("A", "B", "C"),
    timeMs: fc.integer({ min: -12, max: 30 }),
    delayMin: fc.integer({ min: -9, max: 9 }),
  }),
  { maxLength: 60 },
);
const bounds = fc.integer({ min: 0, max: 12 });
const sessions = fc.record(
  {
    gapMs: fc.integer({ min: 1, max: 5 }),
    outOfOrderMs: bounds,
    horizonMs: fc.integer({ min: 0, max: 8 }),
  },
  { requiredKeys: ["gapMs", "outOfOrderMs"] },
);

test(
  "fixed windows: the SQL and a loop agree on any log",
  async () => {
    const shapes = fc.constantFrom([4, 4], [6, 2], [5, 2], [3, 3]);
    await fc.assert(
      fc.asyncProperty(logs, bounds, shapes, async (flights, outOfOrderMs, [sizeMs, advanceMs]) => {
        const log = inPartitions(flights);
        const windows = { sizeMs: sizeMs!, advanceMs: advanceMs!, outOfOrderMs };

        const database = await databaseOf(log);

        const answer = await answerOf(await fixedWindows(database, windows));

        closeFlightsLog(database);
        expect(answer).toEqual(fixedByLoop(log, windows));
      }),
      { numRuns: 50 },
    );
  },
  TIMEOUT_MS,
);

test(
  "sessions: the SQL and a loop agree on any log",
  async () => {
    await fc.assert(
      fc.asyncProperty(logs, sessions, async (flights, windows) => {
        const log = inPartitions(flights);
        const database = await databaseOf(log);

        const answer = await answerOf(await sessionWindows(database, windows));

        closeFlightsLog(database);
        expect(answer).toEqual(sessionsByLoop(log, windows));
      }),
      { numRuns: 75 },
    );
  },
  TIMEOUT_MS,
);

test("flights one gap apart are one session, whose end is a gap after the last", async () => {
  const log = inPartitions([0, 3, 7].map((timeMs) => ({ key: "A", timeMs, delayMin: 1 })));

  const { windows } = await answerOf(
    await sessionWindows(await databaseOf(log), { gapMs: 3, outOfOrderMs: 99 }),
  );

  expect(windows.map(({ start, end, flights }) => [start, end, flights])).toEqual([
    [0, 6, 2],
    [7, 10, 1],
  ]);
});

describe("the first 60,000 flights by origin", () => {
  let database: FlightsLog;
  let log: readonly LoggedFlight[];

  beforeAll(async () => {
    database = await openFlightsLog({ key: "origin", partitions: 4, flights: 60_000 });
    log = await all(readLog(database));
  });
  afterAll(() => closeFlightsLog(database));

  test("the log is in order of arrival, its partitions those of Kafka's clients", () => {
    expect(log.map(({ arrival }) => arrival)).toEqual(Array.from(log, (_, index) => index + 1));
    const arrivalsMs = log.map(({ timeMs, delayMin }) => timeMs + delayMin * 60_000);
    expect(arrivalsMs).toEqual(arrivalsMs.toSorted((a, b) => a - b));
    expect(log.every(({ key, partition }) => partition === partitionOf(Buffer.from(key), 4))).toBe(true);
  });

  test.each([
    { sizeMs: HOUR_MS, advanceMs: HOUR_MS, outOfOrderMs: HOUR_MS },
    { sizeMs: HOUR_MS, advanceMs: HOUR_MS / 4, outOfOrderMs: HOUR_MS },
    { sizeMs: 24 * HOUR_MS, advanceMs: 6 * HOUR_MS, outOfOrderMs: 0 },
    { sizeMs: HOUR_MS, advanceMs: HOUR_MS, outOfOrderMs: NEVER_LATE_MS },
  ])("fixed windows $sizeMs $advanceMs, bound $outOfOrderMs: the SQL and a loop agree", async (windows) => {
    const answer = await answerOf(await fixedWindows(database, windows));

    expect(answer).toEqual(fixedByLoop(log, windows));
    expect(answer.late.length > 0).toBe(windows.outOfOrderMs < NEVER_LATE_MS);
  });
});

describe("the first 60,000 flights by route", () => {
  let database: FlightsLog;
  let log: readonly LoggedFlight[];

  beforeAll(async () => {
    database = await openFlightsLog({ key: "route", partitions: 4, flights: 60_000 });
    log = await all(readLog(database));
  });
  afterAll(() => closeFlightsLog(database));

  test.each([
    { gapMs: 3 * HOUR_MS, outOfOrderMs: HOUR_MS },
    { gapMs: HOUR_MS, outOfOrderMs: 0 },
    { gapMs: 3 * HOUR_MS, outOfOrderMs: NEVER_LATE_MS },
  ])("sessions with gap $gapMs, bound $outOfOrderMs: the SQL and a loop agree", async (windows) => {
    const answer = await answerOf(await sessionWindows(database, windows));

    expect(answer).toEqual(sessionsByLoop(log, windows));
    expect(answer.late.length > 0).toBe(windows.outOfOrderMs < NEVER_LATE_MS);
  });
});

const inPartitions = (
  flights: readonly Omit<LoggedFlight, "arrival" | "partition">[],
): readonly LoggedFlight[] =>
  flights.map((flight, index) => ({ ...flight, arrival: index + 1, partition: flight.key === "A" ? 0 : 1 }));

/** The table that openFlightsLog makes of the file, made of these. */
async function databaseOf(log: readonly LoggedFlight[]): Promise<FlightsLog> {
  const database = await emptyDatabase();
  const { db } = database;
  await db.run(
    "CREATE TABLE log (arrival BIGINT, part INTEGER, key VARCHAR, time_ms BIGINT, delay_min INTEGER, highest_ms BIGINT)",
  );
  const appender = await db.createAppender("log");
  for (const { arrival, partition, key, timeMs, delayMin, highestMs } of withHighest(log)) {
    appender.appendBigInt(BigInt(arrival));
    appender.appendInteger(partition);
    appender.appendVarchar(key);
    appender.appendBigInt(BigInt(timeMs));
    appender.appendInteger(delayMin);
    if (Number.isFinite(highestMs)) appender.appendBigInt(BigInt(highestMs));
    else appender.appendNull();
    appender.endRow();
  }
  appender.closeSync();
  return database;
}

/** Each flight with the highest time that arrived in its partition before it. */
function* withHighest(
  log: readonly LoggedFlight[],
): Generator<LoggedFlight & { readonly highestMs: number }> {
  const highest = new Map<number, number>();
  for (const flight of log) {
    const highestMs = highest.get(flight.partition) ?? Number.NEGATIVE_INFINITY;
    yield { ...flight, highestMs };
    highest.set(flight.partition, Math.max(highestMs, flight.timeMs));
  }
}

async function answerOf(expected: Expected): Promise<Answer> {
  return { windows: (await all(expected.windows())).sort(byKeyAndStart), late: await expected.late() };
}

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const batch of batches) for (const item of batch) items.push(item);
  return items;
}

const byKeyAndStart = (a: FlightWindow, b: FlightWindow): number =>
  a.key === b.key ? a.start - b.start : a.key < b.key ? -1 : 1;

function fixedByLoop(
  log: readonly LoggedFlight[],
  { sizeMs, advanceMs, outOfOrderMs }: FixedWindows,
): Answer {
  const delays = new Map<string, { key: string; start: number; delays: number[] }>();
  const late: number[] = [];
  for (const { arrival, key, timeMs, delayMin, highestMs } of withHighest(log)) {
    let counted = false;
    for (
      let start = Math.floor(timeMs / advanceMs) * advanceMs;
      start > timeMs - sizeMs;
      start -= advanceMs
    ) {
      if (highestMs - outOfOrderMs >= start + sizeMs) continue;
      counted = true;
      const name = `${key} ${start}`;
      if (!delays.has(name)) delays.set(name, { key, start, delays: [] });
      delays.get(name)!.delays.push(delayMin);
    }
    if (!counted) late.push(arrival);
  }
  const windows = [...delays.values()].map((each) =>
    windowOf(each.key, each.start, each.start + sizeMs, each.delays),
  );
  return { windows: windows.sort(byKeyAndStart), late };
}

/** Closes sessions when the watermark reaches their end, instead of asking afterwards whether it had. */
function sessionsByLoop(
  log: readonly LoggedFlight[],
  { gapMs, outOfOrderMs, horizonMs = Number.POSITIVE_INFINITY }: SessionWindows,
): Answer {
  interface Session {
    readonly times: number[];
    readonly delays: number[];
  }
  const open = new Map<string, Session[]>();
  const windows: FlightWindow[] = [];
  const late: number[] = [];
  const close = (key: string, { times, delays }: Session) =>
    windows.push(windowOf(key, Math.min(...times), Math.max(...times) + gapMs, delays));
  for (const { arrival, key, timeMs, delayMin, highestMs } of withHighest(log)) {
    const watermark = highestMs - outOfOrderMs;
    const ended = ({ times }: Session) => Math.max(...times) + gapMs <= watermark;
    const sessions = open.get(key) ?? [];
    for (const session of sessions.filter(ended)) close(key, session);
    const alive = sessions.filter((session) => !ended(session));
    const near = ({ times }: Session) => times.some((other) => Math.abs(other - timeMs) <= gapMs);
    const joined = alive.filter(near);
    const merged = {
      times: [timeMs, ...joined.flatMap(({ times }) => times)],
      delays: [delayMin, ...joined.flatMap(({ delays }) => delays)],
    };
    const isLate = ended(merged) || timeMs < watermark - horizonMs;
    if (isLate) late.push(arrival);
    open.set(key, isLate ? alive : [...alive.filter((session) => !near(session)), merged]);
  }
  for (const [key, sessions] of open) for (const session of sessions) close(key, session);
  return { windows: windows.sort(byKeyAndStart), late };
}

function windowOf(key: string, start: number, end: number, delays: readonly number[]): FlightWindow {
  const sumDelay = delays.reduce((sum, delay) => sum + delay, 0);
  return {
    key,
    start,
    end,
    flights: delays.length,
    meanDelay: sumDelay / delays.length,
    maxDelay: Math.max(...delays),
    minDelay: Math.min(...delays),
    sumDelay,
  };
}
