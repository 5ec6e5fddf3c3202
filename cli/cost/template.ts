/** An environment's resources, read from the templates of a cloud assembly. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Resource {
  readonly logicalId: string;
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template has no types.
  readonly Properties: any;
}

/** What is used of a template. */
export interface Template {
  readonly Resources: Readonly<Record<string, Omit<Resource, "logicalId">>>;
}

/** All templates in the folder that a CDK app was synthesized into. */
export async function readTemplates(assembly: string): Promise<readonly Template[]> {
  const files = (await readdir(assembly)).filter((file) => file.endsWith(".template.json"));
  return Promise.all(
    files
      .toSorted()
      .map(async (file) => JSON.parse(await readFile(join(assembly, file), "utf8")) as Template),
  );
}

/** With whatever no properties are written down of, empty. */
export const resourcesIn = (templates: readonly Template[]): readonly Resource[] =>
  templates.flatMap(({ Resources }) =>
    Object.entries(Resources).map(([logicalId, { Type, Properties = {} }]) => ({
      logicalId,
      Type,
      Properties,
    })),
  );

export const ofType = (resources: readonly Resource[], type: string): readonly Resource[] =>
  resources.filter(({ Type }) => Type === type);
