/** Which results are told, under which id, and what is put on the bus again after a failure. */
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, type PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Notice, noticesTable } from "../../../contracts/notices.ts";
import type { ResultRecord } from "../../../contracts/results.ts";
import { parseServedSeries } from "../../../contracts/served-series.ts";
import { readBatch, type StoredResult } from "../../../lambdas/sink/batch.ts";
import { EventBridgeBus } from "../../../lambdas/sink/event-bridge.ts";
import { MAX_NOTICE_BYTES, noticesOf } from "../../../lambdas/sink/notice.ts";
import { DynamoDBNoticeLedger } from "../../../lambdas/sink/notice-ledger.ts";
import { batchesOf, type EventBus, type NoticeLedger, notify } from "../../../lambdas/sink/notifier.ts";
import { sink } from "../../../lambdas/sink/sink.ts";
import { atHour, delivery, mskRecord, result } from "../support/result-records.ts";
import { startResultsTable, type TestTable } from "../support/results-table.ts";

const series = parseServedSeries("airport-delays:private:notify:4:,quiet:private::4:");

const stored = (...records: readonly ResultRecord[]): readonly StoredResult[] =>
  readBatch(delivery(records.map((record) => mskRecord(record, { topic: `${record.pipeline}.results` }))))
    .results;
const told = (...records: readonly ResultRecord[]): Notice[] => noticesOf(stored(...records), series, "dev");
const idOf = (record: ResultRecord): string => told(record)[0]!.id;

class FakeLedger implements NoticeLedger {
  readonly ids = new Set<string>();
  has = async (id: string): Promise<boolean> => this.ids.has(id);
  add = async (id: string): Promise<void> => void this.ids.add(id);
}

/** Takes what its next answer says, and everything once there is none. */
class FakeBus implements EventBus {
  readonly puts: string[][] = [];
  readonly answers: (readonly boolean[])[] = [];
  async put(notices: readonly Notice[]): Promise<readonly boolean[]> {
    this.puts.push(notices.map(({ id }) => id));
    return this.answers.shift() ?? notices.map(() => true);
  }
}

describe("the notice of a result", () => {
  it("is a CloudEvent of what the results API answers", () => {
    expect(told({ ...result, pane: 3 })).toEqual([
      {
        specversion: "1.0",
        id: expect.stringMatching(/^[\w-]{27}$/),
        source: "urn:spillway:dev:airport-delays",
        type: "spillway.result.airport-delays",
        subject: "ATL",
        datacontenttype: "application/json",
        data: {
          key: "ATL",
          window: { start: "2001-01-31T00:00:00.000Z", end: "2001-01-31T01:00:00.000Z" },
          value: result.value,
          revision: 1,
          pane: 3,
        },
      },
    ]);
  });

  it("has one id, whichever checkpoint or generation wrote it, and another for anything else", () => {
    const again = { generation: 9, checkpoint: 1, index: 5 };
    expect(idOf({ ...result, version: again, value: { flights: 9 } })).toBe(idOf(result));
    const others: ResultRecord[] = [
      { ...result, key: "JFK" },
      { ...result, revision: 2 },
      { ...result, pane: 1 },
      atHour(1),
      { ...result, window: { ...result.window, end: result.window.end + 1 } },
    ];
    expect(new Set([result, ...others].map(idOf)).size).toBe(others.length + 1);
  });

  it("is made once of records that came twice, and of neither retractions nor pipelines that tell nobody", () => {
    const aborted = { ...result, version: { ...result.version, checkpoint: 8 } };
    expect(told(result, result, aborted, { ...result, revision: 2 })).toHaveLength(2);
    expect(told({ ...result, kind: "retract", value: null }, { ...result, pipeline: "quiet" })).toEqual([]);
  });

  it("says where the result is, where that is too large for the bus", () => {
    const large = { ...result, key: "a/b", value: { text: "x".repeat(MAX_NOTICE_BYTES) } };
    const [notice] = told(large);
    const { start } = result.window;
    expect(notice).not.toHaveProperty("data");
    expect(notice!.dataref).toBe(`/results/airport-delays/a%2Fb?from=${start}&to=${start + 1}`);
  });
});

describe("putting notices", () => {
  const many = (count: number): Notice[] => told(...Array.from({ length: count }, (_, hour) => atHour(hour)));
  const ids = (notices: readonly Notice[]): string[] => notices.map(({ id }) => id);

  it("puts ten at a time, no more bytes than the bus takes, and in their order", () => {
    const notices = many(25);
    expect(batchesOf(notices).map(({ length }) => length)).toEqual([10, 10, 5]);
    const wide = (hour: number) =>
      atHour(hour, { value: { text: "x".repeat(MAX_NOTICE_BYTES / 2 - 1_000) } });
    const batches = batchesOf(told(wide(0), wide(1), wide(2), atHour(3)));
    expect(batches.map(({ length }) => length)).toEqual([2, 2]);
    expect(batches.flat().map(({ data }) => data!.window.start)).toEqual(
      [0, 1, 2, 3].map((hour) => new Date(atHour(hour).window.start).toISOString()),
    );
  });

  it("puts again what the bus did not take, and that alone", async () => {
    const [bus, ledger, notices] = [new FakeBus(), new FakeLedger(), many(3)];
    const [first, second, third] = ids(notices);
    bus.answers.push([true, false, false], [false, true]);

    expect(await notify(notices, 10_000, { bus, ledger })).toEqual({ put: 3, repeated: 0 });

    expect(bus.puts).toEqual([[first, second, third], [second, third], [second]]);
    expect([...ledger.ids].sort()).toEqual(ids(notices).sort());
  });

  it("puts nothing again that was entered, when the batch is delivered again", async () => {
    const [bus, ledger, notices] = [new FakeBus(), new FakeLedger(), many(3)];
    bus.answers.push([true, false, true]);
    await expect(notify(notices, 0, { bus, ledger })).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });

    expect(await notify(notices, 10_000, { bus, ledger })).toEqual({ put: 1, repeated: 2 });
    expect(bus.puts.at(-1)).toEqual([notices[1]!.id]);
    expect(await notify(notices, 10_000, { bus, ledger })).toEqual({ put: 0, repeated: 3 });
  });

  it("puts a notice twice, under its one id, rather than lose it in a crash before it is entered", async () => {
    const [bus, notices] = [new FakeBus(), many(1)];
    const ledger = new FakeLedger();
    const crashing = { has: ledger.has, add: () => Promise.reject(new Error("crash")) };
    await expect(notify(notices, 10_000, { bus, ledger: crashing })).rejects.toThrow("crash");

    await notify(notices, 10_000, { bus, ledger });
    expect(bus.puts).toEqual([ids(notices), ids(notices)]);
  });
});

describe("the sink", () => {
  it("tells of each emission once it is stored, and of none that the table refused", async () => {
    const bus = new FakeBus();
    const refusedStart = atHour(1).window.start;
    const writes: number[] = [];
    const table = {
      write: async ({ result: { window } }: StoredResult) => {
        expect(bus.puts).toEqual([]);
        writes.push(window.start);
        return window.start === refusedStart
          ? ({ kind: "refused", detail: "too large" } as const)
          : ({ kind: "superseded" } as const);
      },
      advance: async () => {},
    };
    const deadLetters = { send: async () => {} };
    const notices = { bus, ledger: new FakeLedger(), environment: "dev" };
    const records = [
      atHour(0),
      atHour(0, { revision: 2, version: { ...result.version, checkpoint: 9 } }),
      atHour(1),
    ];
    const event = delivery(records.map((record) => mskRecord(record)));

    const report = await sink(event, () => 10_000, { series, table, deadLetters, notices });

    expect(report.notices).toEqual({ put: 2, repeated: 0 });
    expect(bus.puts).toEqual([[idOf(records[0]!), idOf(records[1]!)]]);
    expect(writes).toHaveLength(2);
  });
});

describe("EventBridge", () => {
  const lines: unknown[] = [];
  const logger = { warn: (...line: unknown[]) => void lines.push(line) };
  const busThat = (send: (command: PutEventsCommand) => Promise<object>): EventBridgeBus => {
    const client = new EventBridgeClient({ region: "eu-central-1" });
    client.send = send as never;
    return new EventBridgeBus(client, "notices", logger);
  };

  it("gets entries that rules can choose by, and says of each whether it was taken", async () => {
    const notices = told(atHour(0), atHour(1));
    const inputs: unknown[] = [];
    const bus = busThat(async ({ input }) => {
      inputs.push(input);
      return { FailedEntryCount: 1, Entries: [{ ErrorCode: "ThrottlingException" }, { EventId: "1" }] };
    });

    expect(await bus.put(notices)).toEqual([false, true]);
    expect(inputs).toEqual([
      {
        Entries: notices.map((notice) => ({
          EventBusName: "notices",
          Source: "spillway",
          DetailType: "spillway.result.airport-delays",
          Detail: JSON.stringify(notice),
        })),
      },
    ]);
    expect(JSON.stringify(lines)).toContain("ThrottlingException");
    expect(JSON.stringify(lines)).not.toContain("ATL");
  });

  it("took none where the request fails", async () => {
    const bus = busThat(() => Promise.reject(new Error("away")));
    expect(await bus.put(told(atHour(0), atHour(1)))).toEqual([false, false]);
  });
});

describe("the table of notices", () => {
  let test: TestTable;
  beforeAll(async () => {
    test = await startResultsTable();
    await test.client.send(
      new CreateTableCommand({
        TableName: "notices",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: noticesTable.partitionKey, AttributeType: "S" }],
        KeySchema: [{ AttributeName: noticesTable.partitionKey, KeyType: "HASH" }],
      }),
    );
  });
  afterAll(() => test.close());

  it("knows what was entered, and fails where it is away", async () => {
    const ledger = new DynamoDBNoticeLedger(test.client, "notices");
    expect(await ledger.has("a")).toBe(false);
    await ledger.add("a");
    expect(await ledger.has("a")).toBe(true);
    const away = new DynamoDBNoticeLedger(test.client, "no-such-table");
    await expect(away.has("a")).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
    await expect(away.add("a")).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  });
});
