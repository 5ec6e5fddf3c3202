import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseTraceparent } from "../../contracts/traceparent.ts";
import { createTracing, MAX_LINKS, type Tracing } from "../../runtime/tracing.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const sampled = `00-${TRACE}-${PARENT}-01`;
const unsampled = `00-${TRACE}-${PARENT}-00`;

let receiver: OtlpReceiver;
let lost: { spans: number; cause: Error }[];
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  lost = [];
  vi.stubEnv("SPILLWAY_ENVIRONMENT", "test");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
});

function tracing(settings: { rate?: string; endpoint?: string; random?: number } = {}): Tracing {
  const { rate = "0.25", endpoint = receiver.url, random = 0 } = settings;
  vi.stubEnv("SPILLWAY_TRACE_SAMPLE_RATE", rate);
  vi.stubEnv("SPILLWAY_OTLP_ENDPOINT", endpoint);
  return createTracing({
    stage: "ingest",
    onLost: (spans, cause) => void lost.push({ spans, cause }),
    random: () => random,
  });
}

describe("what begins here", () => {
  it("is recorded below the rate, and not from it on", () => {
    expect(tracing({ random: 0.249 }).begin("a", undefined)).toBeDefined();
    expect(tracing({ random: 0.25 }).begin("a", undefined)).toBeUndefined();
  });

  it("goes on with a sampled parent's trace, with the same chance and no better one", async () => {
    const parent = parseTraceparent(sampled);
    expect(tracing({ random: 0.25 }).begin("a", parent)).toBeUndefined();
    const chosen = tracing({ random: 0.249 });
    const span = chosen.begin("a", parent)!;
    span.end({ count: 1 });
    await chosen.flush(1_000);
    expect(receiver.spans).toMatchObject([
      { service: "spillway-ingest", traceId: TRACE, parentSpanId: PARENT, attributes: { count: 1 } },
    ]);
    expect(span.traceparent).toBe(`00-${TRACE}-${receiver.spans[0]!.spanId}-01`);
  });

  it("is not recorded where its parent is not", () => {
    expect(tracing().begin("a", parseTraceparent(unsampled))).toBeUndefined();
  });

  it.each([{ rate: "0" }, { endpoint: "" }, { rate: "" }])("is never recorded with %j", (settings) => {
    const off = tracing(settings);
    expect(off.enabled).toBe(false);
    expect(off.begin("a", undefined)).toBeUndefined();
    expect(off.continue("a", [sampled])).toBeUndefined();
  });
});

describe("what goes on", () => {
  it("is recorded for what was recorded, whatever the rate: in the first trace, with links to all", async () => {
    const other = "00-11111111111111111111111111111111-2222222222222222-01";
    const unlucky = tracing({ random: 0.99 });
    unlucky.continue("b", ["nonsense", unsampled, sampled, other, sampled])!.end();
    await unlucky.flush(1_000);
    const links = receiver.spans[0]!.links!.map(({ traceId, spanId }) => ({ traceId, spanId }));
    expect(receiver.spans).toMatchObject([{ traceId: TRACE, parentSpanId: PARENT }]);
    expect(links).toEqual([
      { traceId: TRACE, spanId: PARENT },
      { traceId: "1".repeat(32), spanId: "2".repeat(16) },
    ]);
  });

  it("is not recorded without any", () => {
    expect(tracing().continue("b", ["nonsense", unsampled])).toBeUndefined();
  });

  it("tells of a bounded number", async () => {
    const many = Array.from(
      { length: 100 },
      (_, index) => `00-${(index + 1).toString(16).padStart(32, "0")}-${PARENT}-01`,
    );
    const on = tracing();
    on.continue("b", many)!.end();
    await on.flush(1_000);
    expect(receiver.spans[0]!.links).toHaveLength(MAX_LINKS);
  });
});

describe("a failure", () => {
  it("is told by its class; a message may hold what an event holds", async () => {
    const on = tracing();
    on.begin("a", undefined)!.fail(new TypeError("secret"));
    await on.flush(1_000);
    expect(receiver.spans).toMatchObject([
      { status: { code: 2 }, attributes: { "error.type": "TypeError" } },
    ]);
    expect(JSON.stringify(receiver.spans)).not.toContain("secret");
  });
});

describe("sending", () => {
  it("asks for nothing where nothing was recorded", async () => {
    await tracing().flush(1_000);
    expect(receiver.requests).toEqual([]);
  });

  it("to X-Ray is signed, to a collector it is not", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    const sent: { url: string; headers: Record<string, string> }[] = [];
    const posted = vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
      sent.push({ url: String(url), headers: init?.headers as Record<string, string> });
      return new Response("{}");
    });
    for (const endpoint of ["https://xray.eu-central-1.amazonaws.com/v1/traces", receiver.url]) {
      const on = tracing({ endpoint });
      on.begin("a", undefined)!.end();
      await on.flush(1_000);
    }
    posted.mockRestore();
    expect(sent.map(({ url }) => url)).toEqual([
      "https://xray.eu-central-1.amazonaws.com/v1/traces",
      receiver.url,
    ]);
    expect(sent[0]!.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/xray\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
    expect(sent[1]!.headers).not.toHaveProperty("authorization");
    expect(lost).toEqual([]);
  });

  it("that fails loses the spans, tells how many, and is not tried again for a while", async () => {
    await receiver.close();
    receiver = await startOtlpReceiver(503);
    const on = tracing();
    for (const name of ["a", "b", "c"]) {
      on.begin(name, undefined)!.end();
      await on.flush(1_000);
    }
    expect(receiver.requests).toHaveLength(1);
    expect(lost.map(({ spans }) => spans)).toEqual([1, 1, 1]);
    expect(lost[0]!.cause.message).toMatch("503");
  });

  it("to nobody who answers ends at the deadline", async () => {
    const posted = vi
      .spyOn(globalThis, "fetch")
      .mockImplementation(
        (_url, init) =>
          new Promise((_resolve, reject) =>
            init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason)),
          ),
      );
    const on = tracing();
    on.begin("a", undefined)!.end();
    await on.flush(1);
    posted.mockRestore();
    expect(lost).toMatchObject([{ spans: 1, cause: { name: "TimeoutError" } }]);
  });

  it("holds a bounded number back", async () => {
    const on = tracing({ rate: "1" });
    for (let index = 0; index < 600; index++) on.begin("a", undefined)!.end();
    await on.flush(5_000);
    expect(receiver.spans).toHaveLength(512);
    expect(lost.map(({ spans }) => spans)).toEqual([88]);
  });
});
