/** cdk-nag's AwsSolutions rules. A validation plugin lets synth fail, so they have a synth of their own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, Validations } from "aws-cdk-lib";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test, vi } from "vitest";
import { spillwayApp } from "../../lib/app.ts";
import type { EnvironmentConfig } from "../../lib/config/environment.ts";
import { environmentConfig, environmentNames } from "../../lib/config/environments.ts";
import { DeliveryStack } from "../../lib/delivery/delivery-stack.ts";
import { addPlatform, type Platform } from "../../lib/platform.ts";
import { pipelines } from "../../processors/pipelines/all.ts";

test.each(environmentNames)("nothing of %s is found", (name) => {
  expect(findings(environmentConfig(name))).toEqual([]);
});

test("nor of a Kinesis door, nor of callers with tokens", () => {
  const dev = environmentConfig("dev");
  const door = {
    name: "partner",
    producerAccount: "111111111111",
    eventTypes: ["flight.departed"],
    shards: 1,
    retentionHours: 168,
    function: { memoryMib: 512, timeoutSeconds: 60 },
    batchRecords: 100,
  };
  const auth = { kind: "jwt", issuer: "https://issuer.example", audience: ["spillway"] } as const;
  expect(findings({ ...dev, doors: [door], ingest: { ...dev.ingest, auth } })).toEqual([]);
});

test("nor of a CDN behind a firewall", () => {
  const cdn = {
    domainName: "results.example.org",
    certificateArn: "arn:aws:acm:us-east-1:111111111111:certificate/0b8f7c1e",
    reservedConcurrency: 50,
    firewall: { maxRequestsPerAddress: 1_000 },
  };
  const serving = { cdn, webhook: { url: "https://receiver.example.org" } };
  expect(findings({ ...environmentConfig("prod"), region: "eu-central-1", serving })).toEqual([]);
});

test("nor of a CDN without one", () => {
  const cdn = {
    domainName: "results.example.org",
    certificateArn: "arn:aws:acm:us-east-1:111111111111:certificate/0b8f7c1e",
    reservedConcurrency: 50,
  };
  expect(findings({ ...environmentConfig("dev"), serving: { cdn } })).toEqual([]);
});

test("nor of who may deploy", () => {
  const dev = environmentConfig("dev");
  const props = { repository: "acme/spillway", hasOidcProvider: false };
  const found = findings(dev, ({ network }) => new DeliveryStack(network.node.root as App, dev, props));

  expect(found).toEqual([]);
});

test("a finding would be seen", () => {
  const found = findings(environmentConfig("dev"), ({ control }) => new Queue(control, "Canary"));

  expect(found).toContain("AwsSolutions-SQS3: Spillway-dev-Control/Canary/Resource");
});

/** `<rule>: <path of the construct>`, of what is not acknowledged. */
function findings(
  config: EnvironmentConfig,
  beside: (platform: Platform) => void = () => undefined,
): string[] {
  const directory = mkdtempSync(join(tmpdir(), "spillway-nag-"));
  try {
    const app = spillwayApp({
      outdir: directory,
      context: { "aws:cdk:bundling-stacks": [] },
      // CDK's own rules take longer than all the rest; bin/ has them on.
      builtinCloudFormationValidation: false,
    });
    beside(addPlatform(app, config, pipelines));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    return synthesizeReport(app, directory).pluginReports.flatMap(({ violations }) =>
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => `${ruleName}: ${constructPath}`),
      ),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Report {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** Synth fails where something was found; what it was is in the report only. */
function synthesizeReport(app: App, directory: string): Report {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  let failure: unknown;
  try {
    app.synth();
  } catch (error) {
    failure = error;
  } finally {
    log.mockRestore();
  }
  const file = join(directory, "validation-report.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Report;
  throw new Error("There is no report of the validation.", { cause: failure });
}
