import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { maxKeyBytes } from "../../../contracts/limits.ts";
import type { ResultRecord } from "../../../contracts/results.ts";
import { writeNextToken } from "../../../lambdas/query/next-token.ts";
import type { ResultPage } from "../../../lambdas/query/results.ts";
import { readBatch } from "../../../lambdas/sink/batch.ts";
import { DynamoDBResultsTable } from "../../../lambdas/sink/table.ts";
import { contextWith, type HttpHandler } from "../support/gateway.ts";
import { atHour, DAY_START_MS, delivery, HOUR_MS, mskRecord } from "../support/result-records.ts";
import { startResultsTable, TABLE_NAME, type TestTable } from "../support/results-table.ts";

const HOURS = 60;
const DAY_MS = 24 * HOUR_MS;
const FROM = "2001-01-31T00:00:00Z";
const TO = "2001-02-03T00:00:00Z";

let test: TestTable;
let handler: HttpHandler;

beforeAll(async () => {
  test = await startResultsTable();
  const client = test.client;
  vi.doMock("../../../runtime/dynamodb.ts", () => ({ createDynamoDBClient: () => client }));
  vi.stubEnv("SPILLWAY_ENVIRONMENT", "test");
  vi.stubEnv("SPILLWAY_RESULTS_TABLE", TABLE_NAME);
  vi.stubEnv("SPILLWAY_SERVED_SERIES", "airport-delays:private::4:3600001,other:private::4:");
  vi.stubEnv("POWERTOOLS_DEV", "true");
  handler = (await import("../../../lambdas/query/handler.ts")).handler as unknown as HttpHandler;
  const hours = Array.from({ length: HOURS }, (_, hour) => hour);
  await store(hours.map((hour) => atHour(hour, { value: { hour } })));
  const retracted = { kind: "retract", version: { generation: 2, checkpoint: 0, index: 0 } } as const;
  await store([atHour(2, retracted), atHour(30, retracted)]);
  await store([1, 2, 3, 10].map((pane) => atHour(0, { key: "panes", pane })));
  await store([atHour(0, { key: "a/b c#1", value: { odd: true } })]);
});

afterAll(async () => {
  vi.doUnmock("../../../runtime/dynamodb.ts");
  vi.unstubAllEnvs();
  await test.close();
});

async function store(records: readonly ResultRecord[]): Promise<void> {
  const table = new DynamoDBResultsTable(test.client, TABLE_NAME);
  const batch = readBatch(delivery(records.map((record) => mskRecord(record))));
  for (const stored of batch.newest) await table.write(stored);
}

type Parameters = Readonly<Record<string, string>>;

async function get(
  parameters: Parameters,
  key = "ATL",
  pipeline = "airport-delays",
): Promise<{ status: number; body: ResultPage & { field?: string; type?: string } }> {
  const event = { pathParameters: { pipeline, key }, queryStringParameters: parameters };
  const answer = await handler(event as never, contextWith(10_000));
  return { status: answer.statusCode!, body: JSON.parse(answer.body!) };
}

const hoursOf = (page: ResultPage): number[] =>
  page.items.map(({ window }) => (Date.parse(window.start) - DAY_START_MS) / HOUR_MS);

const expectedHours = Array.from({ length: HOURS }, (_, hour) => hour).filter(
  (hour) => hour !== 2 && hour !== 30,
);

describe("GET /results", () => {
  it("answers a key's windows in order across days, without retracted ones", async () => {
    const { status, body } = await get({ from: FROM, to: TO });
    expect(status).toBe(200);
    expect(hoursOf(body)).toEqual(expectedHours);
    expect(body.next).toBeUndefined();
    expect(body.items[1]).toEqual({
      key: "ATL",
      window: { start: "2001-01-31T01:00:00.000Z", end: "2001-01-31T02:00:00.000Z" },
      value: { hour: 1 },
      revision: 1,
      version: "000001.000000000007.00000000",
    });
  });

  it.each([1, 7, 23, 24, 58, 1_000])("pages through all of them, %i at a time", async (limit) => {
    const hours: number[] = [];
    let next: string | undefined;
    do {
      const { status, body } = await get({ from: FROM, to: TO, limit: String(limit), ...(next && { next }) });
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(limit);
      hours.push(...hoursOf(body));
      next = body.next;
    } while (next !== undefined);
    expect(hours).toEqual(expectedHours);
  });

  it.each([1, 2, 1_000])("pages through the panes of a window, %i at a time", async (limit) => {
    const panes: (number | undefined)[] = [];
    let next: string | undefined;
    do {
      const { body } = await get(
        { from: FROM, to: TO, limit: String(limit), ...(next && { next }) },
        "panes",
      );
      panes.push(...body.items.map(({ pane }) => pane));
      next = body.next;
    } while (next !== undefined);
    expect(panes).toEqual([1, 2, 3, 10]);
  });

  it("includes from and excludes to", async () => {
    const { body } = await get({ from: "2001-01-31T03:00:00Z", to: "2001-01-31T05:00:00Z" });
    expect(hoursOf(body)).toEqual([3, 4]);
  });

  it("takes milliseconds, and cuts inside a day", async () => {
    const from = DAY_START_MS + 3 * HOUR_MS + 1;
    const { body } = await get({ from: String(from), to: String(from + 2 * HOUR_MS) });
    expect(hoursOf(body)).toEqual([4, 5]);
  });

  it("looks one day back where there is no from", async () => {
    const { body } = await get({ to: "2001-02-02T00:00:00Z" });
    expect(hoursOf(body)).toEqual(expectedHours.filter((hour) => hour >= 24 && hour < 48));
  });

  it("reads up to now by default", async () => {
    expect(await get({})).toEqual({ status: 200, body: { items: [] } });
  });

  it("answers an empty list for a key without results", async () => {
    expect(await get({ from: FROM, to: TO }, "XXX")).toEqual({ status: 200, body: { items: [] } });
    expect(await get({ from: FROM, to: TO }, "ATL", "other")).toEqual({ status: 200, body: { items: [] } });
  });

  it("answers an empty range", async () => {
    expect(await get({ from: FROM, to: FROM })).toEqual({ status: 200, body: { items: [] } });
  });

  it("takes any key", async () => {
    const { body } = await get({ from: FROM, to: TO }, "a/b c#1");
    expect(body.items).toMatchObject([{ key: "a/b c#1", value: { odd: true } }]);
  });

  it("bounds the work of a long range, and goes on where it stopped", async () => {
    const from = new Date(DAY_START_MS - 300 * DAY_MS).toISOString();
    const hours: number[] = [];
    let pages = 0;
    let next: string | undefined;
    do {
      const { body } = await get({ from, to: TO, ...(next && { next }) });
      hours.push(...hoursOf(body));
      next = body.next;
      pages += 1;
    } while (next !== undefined);
    expect(hours).toEqual(expectedHours);
    expect(pages).toBe(5);
  });

  it("answers a window of all time where it starts, at the epoch", async () => {
    await store([atHour(0, { key: "global", window: { start: 0, end: 8.64e15 }, value: { all: true } })]);
    const { body } = await get({ from: "0", to: "1" }, "global");
    expect(body.items).toMatchObject([
      { value: { all: true }, window: { start: "1970-01-01T00:00:00.000Z" } },
    ]);
  });

  it("does not widen the range by a token of another", async () => {
    const next = writeNextToken({ startMs: DAY_START_MS - 365 * DAY_MS, endMs: 0, pane: 0 });
    const { body } = await get({ from: "2001-01-31T03:00:00Z", to: "2001-01-31T04:00:00Z", next });
    expect(hoursOf(body)).toEqual([3]);
    const past = writeNextToken({ startMs: Date.parse(TO), endMs: Date.parse(TO), pane: 0 });
    expect(await get({ from: FROM, to: TO, next: past })).toEqual({ status: 200, body: { items: [] } });
  });
});

describe("GET /results refuses", () => {
  it("an unknown pipeline with 404", async () => {
    expect(await get({}, "ATL", "no-such")).toMatchObject({
      status: 404,
      body: { type: "urn:spillway:problem:unknown-pipeline", field: "pipeline" },
    });
  });

  it.each([
    ["from", { from: "yesterday" }],
    ["from", { from: "2001-01-31T00:00:00 00:00" }],
    ["from", { from: "2001-02-30T00:00:00Z" }],
    ["from", { from: "" }],
    ["to", { to: "1e3" }],
    ["from", { from: TO, to: FROM }],
    ["from", { from: "2001-01-01T00:00:00Z", to: "2002-01-02T00:00:00.001Z" }],
    ["limit", { limit: "0" }],
    ["limit", { limit: "1001" }],
    ["limit", { limit: "-1" }],
    ["limit", { limit: "ten" }],
    ["next", { next: "" }],
    ["next", { next: "AAAA" }],
    ["next", { next: `${writeNextToken({ startMs: 1, endMs: 2, pane: 0 })}!` }],
    ["next", { next: Buffer.from("1.2.3.4").toString("base64url") }],
  ] satisfies [string, Parameters][])("a bad %s with 400: %o", async (field, parameters) => {
    expect(await get(parameters as Parameters)).toMatchObject({
      status: 400,
      body: { type: "urn:spillway:problem:invalid-parameter", field },
    });
  });

  it("a missing key with 400", async () => {
    expect(await get({}, "")).toMatchObject({ status: 400, body: { field: "key" } });
  });

  it("a key with 400 that no result can have, and whose partition key DynamoDB might refuse", async () => {
    expect(await get({}, "k".repeat(maxKeyBytes))).toMatchObject({ status: 200 });
    expect(await get({}, "k".repeat(maxKeyBytes + 1))).toMatchObject({ status: 400, body: { field: "key" } });
  });
});
