/** `spillway smoke`, but for the platform: test/e2e/bad-records.test.ts runs it against one. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../../cli/command.ts";
import type { Surroundings } from "../../../cli/smoke/checks.ts";
import { smokeOptions } from "../../../cli/smoke/command.ts";
import { smokeEvents } from "../../../cli/smoke/events.ts";
import { runChecks } from "../../../cli/smoke/run.ts";
import { signedHeaders } from "../../../cli/smoke/signing.ts";
import { deployedTarget } from "../../../cli/smoke/target.ts";
import { synthesize } from "../../lib/synthesize.ts";

const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

describe("signatures", () => {
  const signing = { credentials, region: "us-east-1", service: "service" };
  const request = { method: "GET", url: new URL("https://example.amazonaws.com/"), headers: {} } as const;
  const date = new Date("2015-08-30T12:36:00Z");

  test("are those of AWS's own example, get-vanilla of its test suite", async () => {
    const { authorization, "x-amz-date": when } = await signedHeaders(request, signing, date);

    expect(when).toBe("20150830T123600Z");
    expect(authorization).toBe(
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
  });

  test("differ by body and query, and carry a session's token", async () => {
    const of = async (more: object) =>
      (await signedHeaders({ ...request, ...more }, signing, date)).authorization;
    const plain = await of({});

    expect(await of({ body: "[]" })).not.toBe(plain);
    expect(await of({ url: new URL("https://example.amazonaws.com/?limit=1") })).not.toBe(plain);
    const session = { ...signing, credentials: { ...credentials, sessionToken: "token" } };
    expect(await signedHeaders(request, session, date)).toMatchObject({ "x-amz-security-token": "token" });
  });
});

describe("where the platform is", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "spillway-smoke-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("is read from what the stacks put out, by the names that their templates have", async () => {
    const { ingestion, serving, deadLetters } = synthesize();
    const outputs = Object.fromEntries(
      Object.entries({ Ingestion: ingestion, Serving: serving, DeadLetters: deadLetters }).map(
        ([stack, template]) => [
          `Spillway-dev-${stack}`,
          Object.fromEntries(
            Object.keys(template.findOutputs("*")).map((name) => [name, `value of ${name}`]),
          ),
        ],
      ),
    );
    const file = join(folder, "cdk-outputs.json");
    await writeFile(file, JSON.stringify(outputs));

    expect(await deployedTarget("dev", file)).toEqual({
      eventsUrl: expect.stringMatching(/^value of EventsUrl/),
      resultsUrl: expect.stringMatching(/^value of ResultsUrl/),
      archiveTable: "value of TableName",
      queueUrl: "value of QueueUrl",
    });
    await expect(deployedTarget("prod", file)).rejects.toThrow(
      /has no EventsUrl of Spillway-prod-Ingestion: deploy prod/,
    );
  });

  test("a file that is not there is a wrong command line, with the way out", async () => {
    const missing = deployedTarget("dev", join(folder, "nowhere.json"));

    await expect(missing).rejects.toThrow(UsageError);
    await expect(missing).rejects.toThrow(/nowhere\.json cannot be read: .*npm run deploy writes it/);
  });
});

test("each run has a user and ids of its own, and no event is ahead of the clock", () => {
  const first = smokeEvents("a", 0);
  const second = smokeEvents("b", 0);
  const ids = [...first.events, ...second.events].map(({ id }) => id);

  expect(new Set(ids).size).toBe(8);
  expect(first.userId).not.toBe(second.userId);
  expect(Math.max(...first.events.map(({ time }) => Date.parse(time)))).toBe(0);
});

describe("checks", () => {
  const surroundings = { signal: new AbortController().signal } as Surroundings;
  const passing = { name: "passing", run: async () => "seen" };
  const failing = { name: "failing", run: async () => Promise.reject(new Error("not seen")) };

  test("go on after one that failed, and say what it said", async () => {
    const told: string[] = [];
    const outcomes = await runChecks([failing, passing], surroundings, ({ name }) => told.push(name));

    expect(outcomes).toMatchObject([
      { name: "failing", passed: false, detail: "not seen" },
      { name: "passing", passed: true, detail: "seen" },
    ]);
    expect(told).toEqual(["failing", "passing"]);
  });

  test("end when the run is stopped", async () => {
    const stopped = new Error("stopped");
    const signal = AbortSignal.abort(stopped);

    await expect(runChecks([passing], { ...surroundings, signal }, () => {})).rejects.toBe(stopped);
  });
});

test.each([[[]], [["--env", "Dev"]], [["--env", "dev", "--timeout", "0"]], [["--env", "dev", "extra"]]])(
  "%j is refused",
  (args) => {
    expect(() => smokeOptions(args)).toThrow(UsageError);
  },
);
