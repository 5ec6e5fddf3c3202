import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { numberOf, objectOf, textOf } from "../assembly/json.ts";
import type { Resource } from "../assembly/load.ts";
import { AssemblyError } from "../errors.ts";
import type { FunctionDefinition } from "../functions/environment.ts";
import { displayNames, type Plan } from "./plan.ts";
import { type ServiceSettings, withUrls } from "./services.ts";

/** Lambda's defaults. */
const DEFAULT_MEMORY_MB = 128;
const DEFAULT_TIMEOUT_S = 3;

export interface FunctionPlan {
  readonly resource: Resource;
  /** What people call it: for paths and log files. */
  readonly label: string;
  readonly definition: FunctionDefinition;
}

/**
 * Every function that runs on Node.js. Others cannot run here, and are named in `warn`; so are layers. The common
 * environment holds what Lambda sets from the function's role and region; `urls` what a function's own variables of
 * these names are here instead: stand-ins for what others serve.
 */
export function planFunctions(
  plan: Plan,
  { common, urls }: ServiceSettings,
  inlineDirectory: string,
  warn: (line: string) => void,
): FunctionPlan[] {
  const resources = plan.resources("AWS::Lambda::Function");
  const labels = displayNames(resources);
  const plans: FunctionPlan[] = [];
  for (const resource of resources) {
    const properties = plan.resolver.properties(resource);
    const runtime = textOf(properties.Runtime) ?? "a container image";
    const label = labels.get(resource)!;
    if (!runtime.startsWith("nodejs")) {
      warn(`${resource.stack.name}: function ${label} runs on ${runtime}, which is not run locally.`);
      continue;
    }
    if (properties.Layers !== undefined) warn(`${resource.stack.name}: the layers of ${label} are left out.`);
    const variables = objectOf(objectOf(properties.Environment).Variables);
    const reserved = numberOf(properties.ReservedConcurrentExecutions);
    plans.push({
      resource,
      label,
      definition: {
        name: plan.identities.name(resource),
        arn: plan.identities.arn(resource),
        handler: textOf(properties.Handler) ?? "index.handler",
        directory: codeDirectory(plan, resource, join(inlineDirectory, label)),
        memoryMb: numberOf(properties.MemorySize) ?? DEFAULT_MEMORY_MB,
        timeoutMs: (numberOf(properties.Timeout) ?? DEFAULT_TIMEOUT_S) * 1000,
        environment: { ...common, ...withUrls(texts(variables), urls) },
        ...(reserved === undefined ? {} : { reservedConcurrency: reserved }),
      },
    });
  }
  return plans;
}

function codeDirectory(plan: Plan, resource: Resource, inlineDirectory: string): string {
  const code = objectOf(plan.resolver.properties(resource).Code);
  const inline = textOf(code.ZipFile);
  if (inline !== undefined) {
    mkdirSync(inlineDirectory, { recursive: true });
    writeFileSync(join(inlineDirectory, "index.js"), inline);
    return inlineDirectory;
  }
  const path = plan.assembly.fileAssets.get(textOf(code.S3Key) ?? "");
  if (path === undefined || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AssemblyError(
      `Stack ${resource.stack.name}, resource ${resource.logicalId}: its code ${textOf(code.S3Key)} is no directory asset of this assembly. Run \`npm run synth\` with bundling on.`,
    );
  }
  return path;
}

const texts = (values: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
