/** What a careful team would not let into a workflow, as sentences. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The parser that CDK brings along; the repository needs YAML for nothing else. */
const yaml = createRequire(fileURLToPath(import.meta.resolve("aws-cdk-lib")))("yaml") as {
  parse(text: string): unknown;
};

// biome-ignore lint/suspicious/noExplicitAny: YAML has no types.
export const parseYaml = (text: string): any => yaml.parse(text);

type Permissions = Readonly<Record<string, string>>;

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Permissions;
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly environment?: unknown;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Permissions;
  readonly jobs: Readonly<Record<string, Job>>;
}

export interface Surroundings {
  /** Of package.json. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Whether the repository has a file that may be executed, or a workflow, at the path. */
  has(path: string): boolean;
}

const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
const LOCAL = "./";

/** `text` is a workflow's file. */
export function workflowFaults(text: string, surroundings: Surroundings): string[] {
  const workflow = parseYaml(text) as Workflow;
  const faults: string[] = [];
  if (Object.keys(workflow.on).includes("pull_request_target")) faults.push("runs on pull_request_target");
  if (workflow.permissions === undefined || Object.keys(workflow.permissions).length > 0) {
    faults.push("does not begin without permissions (permissions: {})");
  }
  for (const line of text.split("\n").filter((each) => /\buses: [^.]/.test(each))) {
    if (!/ # v\d+\.\d+\.\d+$/.test(line)) faults.push(`does not say which version this is: ${line.trim()}`);
  }
  for (const [name, job] of Object.entries(workflow.jobs)) {
    faults.push(...jobFaults(name, job, surroundings));
  }
  return faults;
}

function jobFaults(name: string, job: Job, surroundings: Surroundings): string[] {
  const { permissions, steps = [], uses } = job;
  const faults: string[] = [];
  if (permissions === undefined) faults.push(`job ${name} states no permissions`);
  if (uses !== undefined && !(uses.startsWith(LOCAL) && surroundings.has(uses.slice(LOCAL.length)))) {
    faults.push(`job ${name} uses ${uses}, which is no workflow here`);
  }
  const writes = Object.entries(permissions ?? {}).filter(([, access]) => access === "write");
  const checksOut = steps.some((step) => step.uses?.startsWith("actions/checkout@"));
  for (const [scope] of writes) {
    if (scope === "id-token" && (job.environment !== undefined || uses !== undefined)) continue;
    if (scope === "pull-requests" && !checksOut) continue;
    faults.push(`job ${name} may write ${scope}`);
  }
  return [...faults, ...steps.flatMap((step) => stepFaults(name, step, surroundings))];
}

function stepFaults(job: string, { uses, run, with: inputs }: Step, surroundings: Surroundings): string[] {
  const faults: string[] = [];
  if (uses !== undefined && !PINNED.test(uses)) faults.push(`job ${job} uses ${uses}, which is no commit`);
  if (uses?.startsWith("actions/checkout@") && inputs?.["persist-credentials"] !== false) {
    faults.push(`job ${job} leaves the token in its checkout`);
  }
  if (run === undefined) return faults;
  // What somebody else wrote would become part of the script.
  if (run.includes("${{")) faults.push(`job ${job} has an expression in a script: ${run}`);
  for (const [, script] of run.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)) {
    if (!Object.hasOwn(surroundings.scripts, script!)) faults.push(`package.json has no script ${script}`);
  }
  for (const [path] of run.matchAll(/(?<![\w/])\.(?:ci|github)\/[\w/.-]+/g)) {
    if (!surroundings.has(path)) faults.push(`job ${job} runs ${path}, which is not there`);
  }
  return faults;
}
