/** Which answers may be kept for how long, and the conditional requests that ask whether one is still true. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { partitionOf } from "../../../contracts/partitioning.ts";
import type { ResultRecord } from "../../../contracts/results.ts";
import { readBatch } from "../../../lambdas/sink/batch.ts";
import { DynamoDBResultsTable } from "../../../lambdas/sink/table.ts";
import { contextWith, type HttpHandler } from "../support/gateway.ts";
import { atHour, DAY_START_MS, delivery, HOUR_MS, mskRecord } from "../support/result-records.ts";
import { startResultsTable, TABLE_NAME, type TestTable } from "../support/results-table.ts";

const PARTITIONS = 4;
const OPEN = "max-age=2";
const CLOSED = "max-age=300";

let test: TestTable;
let handler: HttpHandler;

beforeAll(async () => {
  test = await startResultsTable();
  const client = test.client;
  vi.doMock("../../../runtime/dynamodb.ts", () => ({ createDynamoDBClient: () => client }));
  vi.useFakeTimers({ toFake: ["Date"], now: DAY_START_MS + 100 * HOUR_MS });
  vi.stubEnv("SPILLWAY_ENVIRONMENT", "test");
  vi.stubEnv("SPILLWAY_RESULTS_TABLE", TABLE_NAME);
  const series = ["airport-delays:private", "shared:public"].map(
    (name) => `${name}::${PARTITIONS}:${HOUR_MS + 1}`,
  );
  vi.stubEnv("SPILLWAY_SERVED_SERIES", [...series, `sessions:public::${PARTITIONS}:`].join(","));
  vi.stubEnv("POWERTOOLS_DEV", "true");
  handler = (await import("../../../lambdas/query/handler.ts")).handler as unknown as HttpHandler;
  await store([0, 1, 2].map((hour) => atHour(hour)));
});

afterAll(async () => {
  vi.doUnmock("../../../runtime/dynamodb.ts");
  vi.unstubAllEnvs();
  vi.useRealTimers();
  await test.close();
});

const table = () => new DynamoDBResultsTable(test.client, TABLE_NAME);

async function store(records: readonly ResultRecord[]): Promise<void> {
  for (const record of records) {
    const [stored] = readBatch(delivery([mskRecord(record, { topic: `${record.pipeline}.results` })])).newest;
    await table().write(stored!);
  }
}

const timeOf = (hour: number): string => new Date(DAY_START_MS + hour * HOUR_MS).toISOString();
const cacheMs = (): void => void vi.setSystemTime(Date.now() + 5_001);

async function advance(series: string, key: string, hour: number, generation = 1): Promise<void> {
  const partition = partitionOf(Buffer.from(key), PARTITIONS);
  await table().advance({ series, partition, generation, endMs: DAY_START_MS + hour * HOUR_MS });
  // What the function remembers is forgotten by then.
  cacheMs();
}

function get(
  key: string,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
  pipeline = "airport-delays",
) {
  const event = { pathParameters: { pipeline, key }, queryStringParameters: parameters, headers };
  return handler(event as never, contextWith(10_000));
}

const threeHours = { from: timeOf(0), to: timeOf(3) };
const controlOf = async (...request: Parameters<typeof get>): Promise<unknown> =>
  (await get(...request)).headers!["cache-control"];

describe("Cache-Control", () => {
  it("is short until a result proves that the range is closed, however late it is by the clock", async () => {
    expect(await controlOf("ATL", threeHours)).toBe(`private, ${OPEN}`);
    await advance("airport-delays", "ATL", 3);
    expect(await controlOf("ATL", threeHours)).toBe(`private, ${OPEN}`);
    // The last window starts before 03:00 and may end just before 04:00: only what ends at 04:00 comes after it.
    await advance("airport-delays", "ATL", 4);
    expect(await controlOf("ATL", threeHours)).toBe(`private, ${CLOSED}`);
    expect(await controlOf("ATL", { ...threeHours, to: timeOf(3.5) })).toBe(`private, ${OPEN}`);
  });

  it("is of the key's own partition, also where the key has no results", async () => {
    const keys = ["JFK", "LAX", "SFO", "ORD", "DEN", "SEA"];
    const partitions = keys.map((key) => partitionOf(Buffer.from(key), PARTITIONS));
    const [own, other] = [0, partitions.findIndex((partition) => partition !== partitions[0])];
    await advance("airport-delays", keys[own]!, 50);
    expect(await controlOf(keys[own]!, threeHours)).toBe(`private, ${CLOSED}`);
    await advance("airport-delays", keys[other]!, 2);
    expect(await controlOf(keys[other]!, threeHours)).not.toContain("s-maxage");
  });

  it("lets shared caches keep what is public, and for a year what is closed", async () => {
    expect(await controlOf("ATL", threeHours, {}, "shared")).toBe(`public, ${OPEN}`);
    await advance("shared", "ATL", 4);
    expect(await controlOf("ATL", threeHours, {}, "shared")).toBe(`public, ${CLOSED}, s-maxage=31536000`);
  });

  it("is short again after a reset, until the new generation has come as far", async () => {
    await advance("shared", "ATL", 1, 2);
    expect(await controlOf("ATL", threeHours, {}, "shared")).toBe(`public, ${OPEN}`);
  });

  it("is short where nobody can tell when a window is closed, and without a `to`, which is now", async () => {
    await advance("sessions", "ATL", 1_000);
    expect(await controlOf("ATL", threeHours, {}, "sessions")).toBe(`public, ${OPEN}`);
    expect(await controlOf("ATL", { from: timeOf(0) })).toBe(`private, ${OPEN}`);
  });

  it("is no-store where the request was refused", async () => {
    expect(await controlOf("ATL", { limit: "0" })).toBe("no-store");
    expect(await controlOf("ATL", {}, {}, "no-such")).toBe("no-store");
  });
});

describe("ETag", () => {
  it.each([
    ["itself", (tag: string) => tag],
    ["it as CloudFront weakens it", (tag: string) => `W/${tag}`],
    ["it among others", (tag: string) => `"other", ${tag}`],
    ["anything", () => "*"],
  ])("answers 304 with the same headers and no body where If-None-Match names %s", async (_, naming) => {
    const full = await get("ATL", threeHours);
    const tag = full.headers!.etag as string;
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    const conditional = await get("ATL", threeHours, { "if-none-match": naming(tag) });
    expect(conditional).toEqual({
      statusCode: 304,
      headers: { etag: tag, "cache-control": full.headers!["cache-control"] },
    });
  });

  it("changes with the results, so that an old tag gets the new ones", async () => {
    const tag = (await get("ATL", threeHours)).headers!.etag as string;
    const version = { generation: 1, checkpoint: 8, index: 0 };
    await store([atHour(1, { value: { flights: 4 }, revision: 2, version })]);
    const changed = await get("ATL", threeHours, { "if-none-match": tag });
    expect(changed.statusCode).toBe(200);
    expect(changed.headers!.etag).not.toBe(tag);
    expect(JSON.parse(changed.body!).items[1].value).toEqual({ flights: 4 });
  });
});

describe("GET /public/results/{pipeline}?key=", () => {
  const getPublic = (rawPath: string, queryStringParameters: Readonly<Record<string, string>>) =>
    handler({ rawPath, queryStringParameters, headers: {} } as never, contextWith(10_000));

  it("answers what the signed path does, for a key of any characters", async () => {
    await store([atHour(0, { pipeline: "shared", key: "a/b c#1", value: { odd: true } })]);
    const answer = await getPublic("/public/results/shared", { key: "a/b c#1", ...threeHours });
    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(answer.body!).items).toMatchObject([{ key: "a/b c#1", value: { odd: true } }]);
    expect(answer.body).toBe((await get("a/b c#1", threeHours, {}, "shared")).body);
  });

  it("refuses another path, a pipeline that it is not told of, and a request without a key", async () => {
    expect((await getPublic("/", { key: "ATL" })).statusCode).toBe(404);
    expect((await getPublic("/public/results/no-such", { key: "ATL" })).statusCode).toBe(404);
    expect((await getPublic("/public/results/shared", {})).statusCode).toBe(400);
  });
});
