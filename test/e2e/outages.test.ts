/** Parts that the processors need fail while real events flow; at the end every number is exact. */
import { afterEach, expect, it, vi } from "vitest";
import { endOffsets } from "../../cli/demo/topic-reader.ts";
import { kafkaClient } from "../../cli/kafka.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { DemoRun } from "./demo-run.ts";
import { eventually } from "./eventually.ts";
import type { LocalControl } from "./local-control.ts";

vi.setConfig({ testTimeout: 240_000 });

const EVENTS = 80_000;

let run: DemoRun | undefined;
afterEach(() => run?.stop());

it("is exact after the broker was killed, and bucket and table were away, beside a killed processor", async () => {
  run = new DemoRun("--events", String(EVENTS), "--kill-at", "0.9");
  const control = await run.control();
  await untilOnTopic(control, 0.2 * EVENTS);
  await control.command("/brokers/1/kill");
  await control.command("/brokers/1/start");

  await untilOnTopic(control, 0.4 * EVENTS);
  await control.command("/links/s3/cut");
  await untilRetried(control, "BucketUnavailableError");
  // What waits for the bucket goes on to the table, which is away by then.
  await control.command("/links/dynamodb/cut");
  await control.command("/links/s3/restore");
  await untilRetried(control, "TableUnavailableError");
  await control.command("/links/dynamodb/restore");

  expect(await run.ended, run.said).toBe(0);
  expect(run.said).toMatch(/mismatches +0$/m);
});

async function untilOnTopic(control: LocalControl, events: number): Promise<void> {
  const admin = kafkaClient((await control.state()).bootstrapServers).admin();
  await admin.connect();
  await eventually(async () => {
    // A broker that comes back cannot be asked for a while.
    const ends = await endOffsets(admin, flightDeparted.topic).catch(() => new Map<number, number>());
    return [...ends.values()].reduce((sum, end) => sum + end, 0) >= events || undefined;
  });
  await admin.disconnect();
}

/** Waits until a processor has met the error and tries again. */
function untilRetried(control: LocalControl, error: string): Promise<true> {
  return eventually(async () => {
    const entries = await control.log();
    return entries.some((entry) => entry.message === "retrying" && entry.error?.name === error) || undefined;
  });
}
