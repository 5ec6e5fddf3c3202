/** Which metrics code emits, by looking at the code: an alarm on any other would be silent for ever. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { METRIC_NAMESPACE, metrics } from "../../../contracts/metrics.ts";
import { awsMetrics } from "../../../lib/observability/aws-metrics.ts";
import type { UsedMetric } from "./templates.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The modules of functions and processors that know the metrics' names. */
const emitters = ["lambdas", "processors", "runtime"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) =>
      join(root, folder, path),
    ),
  )
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(path, "utf8"))
  .filter((source) => source.includes("contracts/metrics.ts"));

/** Full names that some emitter mentions by their key in contracts/metrics.ts. */
export function emittedMetrics(): ReadonlySet<string> {
  const mentioned = new Set(emitters.flatMap((source) => source.match(/\b\w+\b/g) ?? []));
  const all = Object.values(metrics).flatMap((stage) => Object.entries(stage));
  return new Set(all.filter(([key]) => mentioned.has(key)).map(([, name]) => name));
}

/** Why nobody emits this metric under these dimensions; undefined where somebody does. */
export function unemitted({ namespace, name, dimensions }: UsedMetric, emitted: ReadonlySet<string>) {
  const used = Object.keys(dimensions).toSorted().join();
  if (namespace === METRIC_NAMESPACE) {
    if (!emitted.has(name)) return `nothing emits ${name}`;
    if (used === "environment,stage" || used === "environment,pipeline,stage") return undefined;
    return `${name} has the dimensions ${used}`;
  }
  const known: Readonly<Record<string, { readonly metrics: Readonly<Record<string, readonly string[]>> }>> =
    awsMetrics;
  const expected = known[namespace]?.metrics[name];
  if (!expected) return `${namespace} ${name} is in no list`;
  return expected.toSorted().join() === used ? undefined : `${name} has the dimensions ${used}`;
}
