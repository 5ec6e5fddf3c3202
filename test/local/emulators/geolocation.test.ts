/** What enriched-telemetry asks, asked of a service that has a rate limit, takes its time and fails. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { serviceUrlVariable } from "../../../contracts/environment.ts";
import { type Behaviour, Geolocation, type Seen } from "../../../local/emulators/geolocation.ts";
import type { Enrichment } from "../../../processors/engine/pipeline/enrichment.ts";
import type { Answer } from "../../../processors/engine/task/enquiry.ts";
import { ServiceGate } from "../../../processors/engine/worker/service-gate.ts";
import { enrichedTelemetry } from "../../../processors/pipelines/enriched-telemetry.ts";
import { realClock } from "../../support/real-clock.ts";

const VARIABLE = serviceUrlVariable("geolocation");
const ENRICH = enrichedTelemetry.inputs[0]!.enrich!;
/** However slow the machine is: no call fails for that. */
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: PATIENCE_MS });
const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `198.18.${index >> 8}.${index & 255}`);

let service: Geolocation;
let before: string | undefined;
let stop: AbortController;

beforeEach(async () => {
  service = await Geolocation.listen();
  before = process.env[VARIABLE];
  process.env[VARIABLE] = service.url;
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  if (before === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = before;
  await service.close();
});

const behave = async (behaviour: Partial<Behaviour>): Promise<void> => {
  const response = await fetch(`${service.url}/behaviour`, {
    method: "PUT",
    body: JSON.stringify(behaviour),
  });
  expect(response.status).toBe(200);
};
const seen = async (): Promise<Seen> => (await fetch(`${service.url}/seen`)).json() as Promise<Seen>;

const gateOf = (options: Partial<Enrichment> = {}) =>
  new ServiceGate({ enrich: { ...ENRICH, timeoutMs: PATIENCE_MS, ...options }, clock: realClock });

/** The answers, once all are there. */
async function answersOf(gate: ServiceGate, questions: readonly string[]): Promise<Answer[]> {
  const over = new AbortController();
  const line = gate.open({
    partitions: 1,
    signal: AbortSignal.any([over.signal, stop.signal]),
    onAnswered: () => undefined,
    onFailure: () => undefined,
  });
  const answers = questions.map(
    (question) =>
      new Promise<Answer>((resolve) => {
        const known = line.ask(question, resolve, false);
        if (known !== undefined) resolve(known);
      }),
  );
  line.call();
  const all = await Promise.all(answers);
  over.abort();
  return all;
}

describe("the service", () => {
  test("says where an address is, always the same, and that it does not know", async () => {
    const gate = gateOf({ cache: null });
    const first = await answersOf(gate, addresses(200));
    expect(await answersOf(gate, addresses(200))).toEqual(first);
    expect(new Set(first.map((answer) => ("json" in answer ? answer.json : "none"))).size).toBe(10);
    expect(first).toContainEqual({ json: "null" });
  });

  test("refuses what is beyond its rate, and says for how long", async () => {
    await behave({ maxRequestsPerSecond: 0 });
    const response = await fetch(`${service.url}/locations`, {
      method: "POST",
      body: '{"ips":["198.18.0.1"]}',
    });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("1");
  });
});

describe("the pipeline's call", () => {
  test("gets an answer for every address though the service takes fewer calls than are stated", async () => {
    await behave({ maxRequestsPerSecond: 5, latencyMs: 1 });
    const gate = gateOf({ maxQuestionsPerCall: 20, onFailure: "dead-letter" });
    const answers = await answersOf(gate, addresses(400));
    expect(answers.filter((answer) => !("json" in answer))).toEqual([]);
    const { addresses: asked, refused } = await seen();
    expect(asked).toBe(400);
    expect(refused).toBeGreaterThan(0);
  });

  test("asks about many addresses at once, and once about each", async () => {
    const gate = gateOf();
    const questions = addresses(500);
    await answersOf(gate, [...questions, ...questions]);
    await answersOf(gate, questions);
    expect(await seen()).toMatchObject({ requests: 10, addresses: 500, refused: 0 });
  });

  test("is answered in spite of failures, each of which is made again", async () => {
    // One in fifty is no reason for the breaker, whichever calls its window holds.
    await behave({ errorShare: 0.02 });
    const answers = await answersOf(
      gateOf({ maxQuestionsPerCall: 1, onFailure: "dead-letter" }),
      addresses(200),
    );
    expect(answers.filter((answer) => !("json" in answer))).toEqual([]);
    expect((await seen()).failed).toBeGreaterThanOrEqual(4);
  });

  test("goes on without a place while the service fails", async () => {
    await behave({ errorShare: 1 });
    const gate = gateOf({ maxQuestionsPerCall: 1 });
    const answers = await answersOf(gate, addresses(300));
    expect(answers).toContainEqual({ skipped: "away" });
    expect(answers.filter((answer) => "json" in answer)).toEqual([]);
    const { requests } = await seen();
    expect(requests).toBeLessThan(300);
    expect(await answersOf(gate, ["198.18.255.255"])).toEqual([{ skipped: "away" }]);
    expect((await seen()).requests).toBe(requests);
  });

  test("says what is missing where no URL is set", async () => {
    delete process.env[VARIABLE];
    const answers = await answersOf(gateOf({ maxAttempts: 1 }), ["198.18.0.1"]);
    expect(answers).toEqual([
      { failure: "SPILLWAY_GEOLOCATION_URL is not set: lib/config states the service's URL" },
    ]);
  });
});
