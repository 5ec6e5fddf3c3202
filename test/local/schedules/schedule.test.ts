import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { InvokeResult, LambdaFunction } from "../../../local/functions/function.ts";
import { rateMs, Schedule } from "../../../local/schedules/schedule.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  ["rate(1 minute)", 60_000],
  ["rate(5 minutes)", 300_000],
  ["rate(2 hours)", 7_200_000],
  ["cron(0 12 * * ? *)", undefined],
])("%s is %j ms", (expression, expected) => {
  expect(rateMs(expression)).toBe(expected);
});

it("invokes its function after each interval, says where it failed, and ends", async () => {
  vi.setSystemTime("2026-01-01T00:00:00.500Z");
  const events: unknown[] = [];
  const said: string[] = [];
  const results: InvokeResult[] = [{ kind: "throttled" }, { kind: "answer", payload: "null" }];
  const target = {
    invoke: async (payload: string) => {
      events.push(JSON.parse(payload));
      return results.shift();
    },
  };
  const schedule = new Schedule({
    name: "EveryMinute",
    arn: "arn:aws:events:eu-west-1:000000000000:rule/r",
    region: "eu-west-1",
    everyMs: 60_000,
    targets: [target as unknown as LambdaFunction],
    warn: (line) => void said.push(line),
  });
  schedule.start();
  await vi.advanceTimersByTimeAsync(125_000);
  await schedule.stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(events).toHaveLength(2);
  expect(events[0]).toMatchObject({
    source: "aws.events",
    "detail-type": "Scheduled Event",
    time: "2026-01-01T00:01:00Z",
    resources: ["arn:aws:events:eu-west-1:000000000000:rule/r"],
  });
  expect(said).toEqual([expect.stringContaining("throttled")]);
});
