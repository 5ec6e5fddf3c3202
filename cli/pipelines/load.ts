/** Pipelines by the module that they are in, for commands that take any pipeline and not only those that are deployed. */
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { UsageError } from "../command.ts";

/** The module that lists every pipeline that is deployed. */
export const DEPLOYED = fileURLToPath(new URL("../../processors/pipelines/all.ts", import.meta.url));

/**
 * The one pipeline of a module, or the one of that name.
 * @throws UsageError where the module cannot be loaded or has not exactly one such pipeline
 */
export async function loadPipeline(path: string, name?: string): Promise<PipelineDefinition> {
  const found = await loadPipelines(path);
  const names = found.map((pipeline) => pipeline.name).join(", ");
  if (name !== undefined) {
    const named = found.find((pipeline) => pipeline.name === name);
    if (named === undefined) throw new UsageError(`${path} has no pipeline "${name}"; it has: ${names}`);
    return named;
  }
  if (found.length > 1)
    throw new UsageError(`${path} exports several pipelines, say which with --name: ${names}`);
  return found[0]!;
}

/**
 * Whatever a module exports that is a pipeline, by any name, on its own or in an array.
 * @throws UsageError where there is none, or the module cannot be loaded
 */
export async function loadPipelines(path: string): Promise<readonly PipelineDefinition[]> {
  const exported = Object.values(await load(resolve(path), path)).flat();
  const pipelines = [...new Set(exported.filter(isPipeline))];
  if (pipelines.length > 0) return pipelines;
  throw new UsageError(
    `${path} exports no pipeline; export what .toResults() returns: export const flights = pipeline("flights")…`,
  );
}

async function load(file: string, path: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) throw new UsageError(`the pipeline module ${path} does not exist (${file})`);
  const hooks = registerHooks({ resolve: resolveOwnName });
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    const { message, stack = "" } = cause instanceof Error ? cause : new Error(String(cause));
    const line = stack.split(`${file}:`)[1]?.match(/^\d+/)?.[0];
    const where = line === undefined ? path : `${path}:${line}`;
    throw new UsageError(`the pipeline module ${where} cannot be loaded: ${message}`, { cause });
  } finally {
    hooks.deregister();
  }
}

/** `spillway/pipeline` means this package, wherever the module that says so is. */
function resolveOwnName(
  specifier: string,
  context: Parameters<NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>>[1],
  next: Parameters<NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>>[2],
) {
  if (!specifier.startsWith("spillway/")) return next(specifier, context);
  return next(specifier, { ...context, parentURL: import.meta.url });
}

function isPipeline(value: unknown): value is PipelineDefinition {
  const { name, inputs, operators } = (value ?? {}) as Partial<Record<keyof PipelineDefinition, unknown>>;
  return typeof name === "string" && Array.isArray(inputs) && Array.isArray(operators);
}
