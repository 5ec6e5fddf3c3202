import { beforeAll, describe, expect, test } from "vitest";
import { environmentConfig, environmentNames } from "../../lib/config/environments.ts";
import { maskAssets, synthesize, type Templates } from "./synthesize.ts";

const stacks = [
  "network",
  "transport",
  "control",
  "deadLetters",
  "ingestion",
  "processing",
  "serving",
  "observability",
] as const;

describe.each(environmentNames)("templates of %s", (environment) => {
  let templates: Templates;
  beforeAll(() => {
    templates = synthesize({ config: environmentConfig(environment) });
  });

  test.each(stacks)("%s is as reviewed", async (stack) => {
    const text = `${JSON.stringify(maskAssets(templates[stack]), null, 1)}\n`;
    await expect(text).toMatchFileSnapshot(`__snapshots__/${environment}.${stack}.json`);
  });
});

describe("a change of code", () => {
  let before: Templates;
  let after: Templates;
  beforeAll(() => {
    before = synthesize({ source: "export const handler = () => 1;" });
    after = synthesize({ source: "export const handler = () => 2;" });
  });

  test.each(stacks)("does not change the masked template of %s", (stack) => {
    expect(maskAssets(after[stack])).toEqual(maskAssets(before[stack]));
    expect(maskAssets(after[stack])).toEqual(maskAssets(synthesizedWithoutBundles()[stack]));
  });

  test.each(["deadLetters", "ingestion", "processing", "serving"] as const)("is deployed by %s", (stack) => {
    expect(after[stack].toJSON()).not.toEqual(before[stack].toJSON());
  });
});

let withoutBundles: Templates | undefined;
function synthesizedWithoutBundles(): Templates {
  withoutBundles ??= synthesize();
  return withoutBundles;
}
