/** A page's days are read side by side: in which order they come, how many at once, and how much of it in vain. */
import type { DynamoDBClient, QueryCommand, QueryCommandOutput } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseServedSeries } from "../../../contracts/served-series.ts";
import { readNextToken } from "../../../lambdas/query/next-token.ts";
import { type ResultItem, type ResultPage, readResults } from "../../../lambdas/query/results.ts";
import { readBatch } from "../../../lambdas/sink/batch.ts";
import { DynamoDBResultsTable } from "../../../lambdas/sink/table.ts";
import { forEachBounded } from "../../../runtime/for-each-bounded.ts";
import { atHour, DAY_START_MS, delivery, HOUR_MS, mskRecord } from "../support/result-records.ts";
import { startResultsTable, TABLE_NAME, type TestTable } from "../support/results-table.ts";

const HOURS_PER_DAY = 24;
const EVEN_DAYS = 10;
/** How many hours of each day have a window: none of some, so that what the days before held says little. */
const UNEVEN_DAYS = [1, 24, 0, 0, 0, 24, 2, 24, 24, 3, 0, 24];

const series = parseServedSeries("airport-delays:private::4:").get("airport-delays")!;
let test: TestTable;

beforeAll(async () => {
  test = await startResultsTable();
  const even = Array.from({ length: EVEN_DAYS * HOURS_PER_DAY }, (_, hour) => atHour(hour, { key: "even" }));
  const uneven = UNEVEN_DAYS.flatMap((hours, day) =>
    Array.from({ length: hours }, (_, hour) => atHour(day * HOURS_PER_DAY + hour, { key: "uneven" })),
  );
  const table = new DynamoDBResultsTable(test.client, TABLE_NAME);
  const batch = readBatch(delivery([...even, ...uneven].map((record) => mskRecord(record))));
  await forEachBounded(batch.newest, 16, async (stored) => void (await table.write(stored)));
});
afterAll(() => test.close());

/** The table's client, and what was asked of it. */
class Counted {
  reads = 0;
  rows = 0;
  mostAtOnce = 0;
  #atOnce = 0;
  readonly client = { send: (command: QueryCommand) => this.#send(command) } as unknown as DynamoDBClient;

  async #send(command: QueryCommand): Promise<QueryCommandOutput> {
    this.reads += 1;
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    const output = await test.client.send(command);
    this.#atOnce -= 1;
    this.rows += output.Items?.length ?? 0;
    return output;
  }
}

function page(key: string, limit: number, next?: string, counted = new Counted()): Promise<ResultPage> {
  return readResults(
    { client: counted.client, tableName: TABLE_NAME },
    {
      series,
      key,
      limit,
      fromMs: DAY_START_MS,
      toMs: DAY_START_MS + UNEVEN_DAYS.length * HOURS_PER_DAY * HOUR_MS,
      position: next === undefined ? undefined : readNextToken(next),
    },
    "eventual",
  );
}

const hoursOf = (items: readonly ResultItem[]): number[] =>
  items.map(({ window }) => (Date.parse(window.start) - DAY_START_MS) / HOUR_MS);

describe("a page over several days", () => {
  it("takes three turns where days hold alike, and reads nothing in vain", async () => {
    const counted = new Counted();
    const { items } = await page("even", 200, undefined, counted);
    expect(hoursOf(items)).toEqual(Array.from({ length: 200 }, (_, hour) => hour));
    // The first day alone, then the seven that 176 more fill, then 8 of another.
    expect(counted).toMatchObject({ reads: 9, rows: 200, mostAtOnce: 7 });
  });

  it("reads no more than eight at once, however little they hold", async () => {
    const counted = new Counted();
    const { items, next } = await page("none", 1_000, undefined, counted);
    expect([items, next]).toEqual([[], undefined]);
    expect(counted).toMatchObject({ reads: UNEVEN_DAYS.length, mostAtOnce: 8 });
  });

  it("ends where its limit is reached, and the next one begins there, whatever days hold", async () => {
    const all = UNEVEN_DAYS.flatMap((hours, day) =>
      Array.from({ length: hours }, (_, hour) => day * HOURS_PER_DAY + hour),
    );
    for (const limit of [1, 2, 3, 5, 23, 24, 25, 26, 49, 50, 51, 52, 99, 126, 127]) {
      const hours: number[] = [];
      let next: string | undefined;
      do {
        const read: ResultPage = await page("uneven", limit, next);
        expect(read.items.length).toBeLessThanOrEqual(limit);
        hours.push(...hoursOf(read.items));
        next = read.next;
      } while (next !== undefined);
      expect(hours).toEqual(all);
    }
  });
});
