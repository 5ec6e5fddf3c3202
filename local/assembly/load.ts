import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AssemblyError } from "../errors.ts";
import { isObject, type Json, type JsonObject, objectOf, textOf } from "./json.ts";

export interface Resource {
  readonly stack: Stack;
  readonly logicalId: string;
  readonly type: string;
  /** As the template has them, with their intrinsic functions. */
  readonly properties: JsonObject;
  readonly condition?: string;
}

export interface Stack {
  readonly name: string;
  readonly parameters: JsonObject;
  readonly conditions: JsonObject;
  readonly mappings: JsonObject;
  readonly outputs: JsonObject;
  readonly resources: ReadonlyMap<string, Resource>;
}

/** The directory a docker image is built from, and its Dockerfile. */
export interface ImageAsset {
  readonly directory: string;
  readonly dockerfile: string;
}

/** What `cdk synth` wrote: templates and the assets they point at. */
export interface Assembly {
  readonly region: string;
  readonly stacks: readonly Stack[];
  /** Path of a file asset by the object key templates name it by. */
  readonly fileAssets: ReadonlyMap<string, string>;
  /** Source of an image asset by its tag. */
  readonly imageAssets: ReadonlyMap<string, ImageAsset>;
}

const DEFAULT_REGION = "us-east-1";

/** Reads a cloud assembly, nested ones (stages) included. Throws AssemblyError where a file is missing or no JSON. */
export function loadAssembly(directory: string): Assembly {
  const stacks: Stack[] = [];
  const fileAssets = new Map<string, string>();
  const imageAssets = new Map<string, ImageAsset>();
  const regions = new Set<string>();
  const visit = (at: string): void => {
    for (const artifact of Object.values(objectOf(readJson(join(at, "manifest.json")).artifacts))) {
      if (!isObject(artifact)) continue;
      const properties = objectOf(artifact.properties);
      switch (artifact.type) {
        case "aws:cloudformation:stack": {
          stacks.push(readStack(at, artifact));
          const region = textOf(artifact.environment)?.split("/").at(-1);
          if (region !== undefined && region !== "unknown-region") regions.add(region);
          break;
        }
        case "cdk:asset-manifest":
          readAssets(at, textOf(properties.file) ?? "", fileAssets, imageAssets);
          break;
        case "cdk:cloud-assembly":
          visit(join(at, textOf(properties.directoryName) ?? ""));
          break;
      }
    }
  };
  visit(directory);
  if (stacks.length === 0) {
    throw new AssemblyError(
      `${directory} holds no stack. Run \`npm run synth\` and pass the directory it writes.`,
    );
  }
  return { region: [...regions][0] ?? DEFAULT_REGION, stacks, fileAssets, imageAssets };
}

function readStack(directory: string, artifact: JsonObject): Stack {
  const file = textOf(objectOf(artifact.properties).templateFile) ?? "";
  const template = readJson(join(directory, file));
  const resources = new Map<string, Resource>();
  const stack: Stack = {
    name: textOf(objectOf(artifact.properties).stackName) ?? file.replace(/\.template\.json$/, ""),
    parameters: objectOf(template.Parameters),
    conditions: objectOf(template.Conditions),
    mappings: objectOf(template.Mappings),
    outputs: objectOf(template.Outputs),
    resources,
  };
  for (const [logicalId, value] of Object.entries(objectOf(template.Resources))) {
    const resource = objectOf(value);
    const condition = textOf(resource.Condition);
    resources.set(logicalId, {
      stack,
      logicalId,
      type: textOf(resource.Type) ?? "",
      properties: objectOf(resource.Properties),
      ...(condition === undefined ? {} : { condition }),
    });
  }
  return stack;
}

function readAssets(
  directory: string,
  file: string,
  fileAssets: Map<string, string>,
  imageAssets: Map<string, ImageAsset>,
): void {
  const manifest = readJson(join(directory, file));
  for (const asset of Object.values(objectOf(manifest.files))) {
    const { source, destinations } = objectOf(asset);
    const path = textOf(objectOf(source).path);
    if (path === undefined) continue;
    for (const destination of Object.values(objectOf(destinations))) {
      fileAssets.set(textOf(objectOf(destination).objectKey) ?? "", join(directory, path));
    }
  }
  for (const asset of Object.values(objectOf(manifest.dockerImages))) {
    const source = objectOf(objectOf(asset).source);
    const from = textOf(source.directory);
    if (from === undefined) continue;
    const image: ImageAsset = {
      directory: join(directory, from),
      dockerfile: textOf(source.dockerFile) ?? "Dockerfile",
    };
    for (const destination of Object.values(objectOf(objectOf(asset).destinations))) {
      imageAssets.set(textOf(objectOf(destination).imageTag) ?? "", image);
    }
  }
}

function readJson(path: string): JsonObject {
  if (!existsSync(path)) {
    throw new AssemblyError(
      `${path} does not exist. Run \`npm run synth\` and pass the directory it writes.`,
    );
  }
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Json;
    return objectOf(value);
  } catch (cause) {
    throw new AssemblyError(`${path} is not JSON. Run \`npm run synth\` again.`, { cause });
  }
}

/** All resources of some types, in the order of the templates. */
export function resourcesOf(assembly: Assembly, ...types: readonly string[]): Resource[] {
  return assembly.stacks.flatMap((stack) =>
    [...stack.resources.values()].filter(({ type }) => types.includes(type)),
  );
}
