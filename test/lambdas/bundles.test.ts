/** The functions as they are deployed: bundled as synth does it, in a process of their own, invoked once. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, bundleWithEventValidators } from "../../lib/functions/bundle.ts";
import { flight, structured } from "./support/events.ts";

const MAX_BUNDLE_BYTES = 1_024 * 1_024;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spillway-bundles-"));
  for (const name of ["archive", "flow-control", "forward", "sink", "query", "webhook"]) {
    bundle({ entry: `lambdas/${name}/handler.ts`, outfile: bundleOf(name) });
  }
  for (const name of ["door", "ingest", "redrive"]) {
    bundleWithEventValidators({ entry: `lambdas/${name}/handler.ts`, outfile: bundleOf(name) });
  }
});

afterAll(() => rm(folder, { recursive: true }));

const bundleOf = (name: string): string => path.join(folder, name, "handler.mjs");

/** Imports the bundle in a fresh process that may not make code from strings, and invokes it once. */
async function invoke(
  name: string,
  event: unknown,
  remainingMs: number,
): Promise<Readonly<Record<string, unknown>> | null> {
  const script = `
    const { handler } = await import(process.argv[1]);
    const context = { functionName: "f", awsRequestId: "r", getRemainingTimeInMillis: () => ${remainingMs} };
    const answer = await handler(JSON.parse(process.argv[2]), context);
    process.stdout.write("\\nANSWER " + JSON.stringify(answer ?? null) + "\\n", () => process.exit(0));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--disallow-code-generation-from-strings",
      "--input-type=module",
      "--eval",
      script,
      bundleOf(name),
      JSON.stringify(event),
    ],
    {
      env: {
        AWS_REGION: "eu-central-1",
        SPILLWAY_ENVIRONMENT: "test",
        // Port 1 refuses: Kafka is away.
        SPILLWAY_BOOTSTRAP_SERVERS: "127.0.0.1:1",
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        SPILLWAY_STREAM: "spillway",
        SPILLWAY_HIGH_STREAM: "spillway-high",
        SPILLWAY_SIGNALS_TABLE: "signals",
        // Everything is recorded, and nobody takes it.
        SPILLWAY_TRACE_SAMPLE_RATE: "1",
        SPILLWAY_OTLP_ENDPOINT: "http://127.0.0.1:1/v1/traces",
        SPILLWAY_PRODUCER: "partner",
        SPILLWAY_EVENT_TYPES: "flight.departed",
        SPILLWAY_CONTROL_TABLE: "control",
        SPILLWAY_MAPPING: "forward",
        SPILLWAY_CONTROLLED_MAPPINGS: "forward:u:144:flights",
        SPILLWAY_RESULTS_TABLE: "results",
        SPILLWAY_RESULT_NAMES: "{}",
        SPILLWAY_BATCH_RECORDS: "500",
        SPILLWAY_NOTICES_BUS: "notices",
        SPILLWAY_NOTICES_TABLE: "notices",
        SPILLWAY_WEBHOOK_URL: "http://127.0.0.1:1",
        SPILLWAY_WEBHOOK_SECRET: "webhook",
        SPILLWAY_ARCHIVE_TABLE: "archive",
        SPILLWAY_ARCHIVE_BUCKET: "archive",
        SPILLWAY_AGED_OUT_BUCKETS: "forward:aged-out",
        SPILLWAY_DOORS: "{}",
        SPILLWAY_SERVED_SERIES: "airport-delays:private::4:3600001",
      },
    },
  );
  return JSON.parse(stdout.slice(stdout.lastIndexOf("ANSWER ") + "ANSWER ".length));
}

describe.each([
  "archive",
  "door",
  "flow-control",
  "forward",
  "ingest",
  "query",
  "redrive",
  "sink",
  "webhook",
])("the bundle of %s", (name) => {
  it("is at most 1 MiB", async () => {
    expect((await stat(bundleOf(name))).size).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
  });

  it("does not import node:http as an ES module, which would load all of fetch at each start", async () => {
    expect(await readFile(bundleOf(name), "utf8")).not.toMatch(/from ?"(node:)?http"/);
  });
});

describe("a bundle in a process of its own", () => {
  it("judges events with ready-made validators", async () => {
    const event = structured({ ...flight, data: {} });
    expect(await invoke("ingest", event, 10_000)).toMatchObject({ statusCode: 422 });
    expect(await readFile(bundleOf("ingest"), "utf8")).not.toContain("new Function");
  });

  it("answers 503 before its time is over where Kafka and the spillway are away", async () => {
    expect(await invoke("ingest", structured(flight), 1_500)).toMatchObject({
      statusCode: 503,
      headers: { "retry-after": "5" },
    });
  });

  it("fails where Lambda's API cannot say how its mapping stands", async () => {
    await expect(invoke("flow-control", {}, 10_000)).rejects.toThrow("Not every mapping was looked at");
  });

  it.each(["door", "forward"])("takes an empty batch of a stream's records as %s", async (name) => {
    expect(await invoke(name, { Records: [] }, 10_000)).toEqual({ batchItemFailures: [] });
  });

  it("takes an empty batch of dead letters, and one of messages", async () => {
    const none = { batchItemFailures: [] };
    expect(await invoke("archive", { eventSource: "aws:kafka", records: {} }, 10_000)).toEqual(none);
    expect(await invoke("archive", { Records: [] }, 10_000)).toEqual(none);
  });

  it("refuses a redrive of everything, which a slip in a name would be", async () => {
    const selection = { state: "archived", reasn: "undecodable" };
    const redriveId = "0b8f7c1e-0000-4000-8000-000000000001";
    const request = { redriveId, execute: true, selection, ratePerSecond: 1, maxFailureShare: 1 };
    await expect(invoke("redrive", request, 10_000)).rejects.toThrow(/selection must not hold reasn;/);
  });

  it("takes an empty batch of results", async () => {
    expect(await invoke("sink", { eventSource: "aws:kafka", records: {} }, 10_000)).toBeNull();
  });

  it("fails where the secret of the webhook cannot be read, so that Lambda calls it again", async () => {
    await expect(invoke("webhook", { detail: { id: "1" } }, 10_000)).rejects.toThrow("ECONNREFUSED");
  });

  it("answers 404 for an unknown pipeline", async () => {
    const event = { pathParameters: { pipeline: "no-such", key: "ATL" } };
    expect(await invoke("query", event, 10_000)).toMatchObject({ statusCode: 404 });
  });
});
