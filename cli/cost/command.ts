/** `spillway cost`: what an environment costs a month, by its templates and a list of prices. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentConfig, environmentNames } from "../../lib/config/environments.ts";
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { PLATFORM_APP, synthesize } from "../platform/synthesize.ts";
import { type Estimate, estimate } from "./estimate.ts";
import { readTemplates, type Template } from "./template.ts";
import { assumptionsText, estimatesTable, estimateText } from "./text.ts";

/** Events a second, the first of them none. */
export const LOADS: readonly number[] = [0, 1_000, 10_000, 100_000];
const MAX_EVENTS_PER_SECOND = 1_000_000;

const help = `Usage: spillway cost [options]

Synthesizes the CDK app and prints what its environments cost a month in us-east-1, from their templates, the prices in
cli/cost/prices.ts and the assumptions that it prints. Asks nobody: prices are those of the file's date, without free
tiers, discounts and tax.

  --env E         one environment   (default: ${environmentNames.join(", ")})
  --events N      events a second; then every line of the sum is printed   (default: a table of ${LOADS.join(", ")})
  --json          every line, as JSON
  --help          this text`;

export const cost: Command = {
  help,
  run: async (args, signal) => {
    const { names, loads, json, isDetailed } = costOptions(args);
    const byName: (readonly Estimate[])[] = [];
    for (const name of names) byName.push(estimatesOf(name, await templatesOf(name, signal), loads));
    if (json) {
      console.log(JSON.stringify(byName.flat(), undefined, 2));
      return 0;
    }
    for (const estimates of byName) console.log(isDetailed ? detailText(estimates) : tableText(estimates));
    console.log(assumptionsText());
    return 0;
  },
};

/** Reads the command line; throws {@link UsageError}. */
export function costOptions(args: readonly string[]) {
  const { env, events, json } = parseOptions(args, {
    env: { type: "string" },
    events: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (env !== undefined && !environmentNames.includes(env)) {
    throw new UsageError(`--env takes one of ${environmentNames.join(", ")}, not "${env}"`);
  }
  return {
    names: env === undefined ? environmentNames : [env],
    loads: events === undefined ? LOADS : [wholeNumber("events", events, 0, MAX_EVENTS_PER_SECOND)],
    json,
    isDetailed: events !== undefined,
  };
}

/** With the sizes of events and requests that the environment's configuration expects. */
export function estimatesOf(
  name: string,
  templates: readonly Template[],
  loads: readonly number[] = LOADS,
): readonly Estimate[] {
  const { expected } = environmentConfig(name).ingest;
  return loads.map((eventsPerSecond) =>
    estimate(name, templates, { ...expected, eventsPerSecond }, expected.eventsPerSecond),
  );
}

async function templatesOf(environment: string, signal: AbortSignal): Promise<readonly Template[]> {
  const folder = await mkdtemp(join(tmpdir(), "spillway-cost-"));
  try {
    const assembly = join(folder, "cdk.out");
    // No function's code has a price.
    await synthesize(assembly, signal, PLATFORM_APP, { environment, "aws:cdk:bundling-stacks": [] });
    return await readTemplates(assembly);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const detailText = (estimates: readonly Estimate[]): string =>
  `${estimates.map(estimateText).join("\n\n")}\n`;

/** The table, and what is to be said of its columns. */
export function tableText(estimates: readonly Estimate[]): string {
  const remarks = estimates.flatMap(({ eventsPerSecond, remarks, unknownTypes }) => [
    ...remarks.map((remark) => `* At ${eventsPerSecond.toLocaleString("en-US")} events/s ${remark}.`),
    ...(eventsPerSecond === 0 ? unknownTypes.map((type) => `* Not in the sum: ${type}.`) : []),
  ]);
  return [`## ${estimates[0]!.environment}`, "", estimatesTable(estimates), "", ...remarks, ""].join("\n");
}
