/** Synthesizes the platform for a test, and takes its templates apart. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "aws-cdk-lib/assertions";
import { spillwayApp } from "../../lib/app.ts";
import type { EnvironmentConfig } from "../../lib/config/environment.ts";
import { environmentConfig } from "../../lib/config/environments.ts";
import { addPlatform, type PlatformCode } from "../../lib/platform.ts";
import type { DeployedPipeline } from "../../lib/processing/pipeline.ts";
import { pipelines as deployedPipelines } from "../../processors/pipelines/all.ts";

export const dev = environmentConfig("dev");

export type Templates = Readonly<
  Record<
    | "network"
    | "transport"
    | "control"
    | "deadLetters"
    | "ingestion"
    | "processing"
    | "serving"
    | "observability",
    Template
  > & { firewall?: Template }
>;

export interface SynthesizeOptions {
  /** @default dev */
  readonly config?: EnvironmentConfig;
  /** @default those that are deployed */
  readonly pipelines?: readonly DeployedPipeline[];
  /** What every function and the processor export in place of their own code. @default nothing is bundled */
  readonly source?: string;
}

/** The templates of every stack. Leaves no file behind. */
export function synthesize(options: SynthesizeOptions = {}): Templates {
  const { config = dev, pipelines = deployedPipelines, source } = options;
  const directory = mkdtempSync(join(tmpdir(), "spillway-synth-"));
  try {
    const context = source === undefined ? { "aws:cdk:bundling-stacks": [] } : {};
    const app = spillwayApp({
      outdir: join(directory, "cdk.out"),
      context,
      // Most of the time that a synth takes; bin/ has it on.
      builtinCloudFormationValidation: false,
    });
    const code = standInCode(directory, source ?? "");
    const platform = addPlatform(app, config, pipelines, code);
    const { network, transport, control, deadLetters, ingestion, processing, serving } = platform;
    const { firewall, observability } = platform;
    return {
      ...(firewall && { firewall: Template.fromStack(firewall) }),
      network: Template.fromStack(network),
      transport: Template.fromStack(transport),
      control: Template.fromStack(control),
      deadLetters: Template.fromStack(deadLetters),
      ingestion: Template.fromStack(ingestion),
      processing: Template.fromStack(processing),
      serving: Template.fromStack(serving),
      observability: Template.fromStack(observability),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function standInCode(directory: string, source: string): PlatformCode {
  const write = (name: string): string => {
    const folder = join(directory, name);
    mkdirSync(folder);
    const path = join(folder, "handler.ts");
    writeFileSync(path, source);
    return path;
  };
  return {
    door: write("door"),
    archive: write("archive"),
    redrive: write("redrive"),
    flowControl: write("flow-control"),
    forward: write("forward"),
    ingest: write("ingest"),
    sink: write("sink"),
    query: write("query"),
    webhook: write("webhook"),
    processor: write("processor"),
  };
}

/** The template with every asset's hash masked, so that a change of code is no change of the template. */
export function maskAssets(template: Template): unknown {
  return JSON.parse(JSON.stringify(template.toJSON()).replaceAll(/\b[0-9a-f]{64}\b/g, "ASSET"));
}

export interface Resource {
  readonly logicalId: string;
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types, in CDK's own assertions neither.
  readonly Properties: any;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

/** The resources of a type, in the template's order. */
export function resources(template: Template, type: string): readonly Resource[] {
  return Object.entries(template.findResources(type)).map(
    ([logicalId, resource]) => ({ logicalId, ...resource }) as Resource,
  );
}

/** The only resource of a type. */
export function theResource(template: Template, type: string): Resource {
  const found = resources(template, type);
  if (found.length !== 1) throw new Error(`There are ${found.length} of ${type}, not one.`);
  return found[0]!;
}

export interface Statement {
  readonly actions: readonly string[];
  /** A resource as JSON text, with every intrinsic function in it. */
  readonly resources: readonly string[];
}

/** What the policies of a template's roles allow, where the role's logical id starts with `role`. */
export function allowed(template: Template, role: string): readonly Statement[] {
  return resources(template, "AWS::IAM::Policy")
    .filter(({ Properties }) => Properties.Roles[0].Ref.startsWith(role))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .map(({ Action, Resource }) => ({
      actions: [Action].flat(),
      resources: [Resource].flat().map((resource) => JSON.stringify(resource)),
    }));
}

/** The names at the end of the ARNs (`/flights`) that a statement with this action is about. */
export function allowedNames(statements: readonly Statement[], action: string): readonly string[] {
  return statements
    .filter(({ actions }) => actions.includes(action))
    .flatMap((statement) => statement.resources)
    .map((resource) => /"\/([^"]+)"\]\]\}$/.exec(resource)?.[1] ?? resource)
    .toSorted();
}
